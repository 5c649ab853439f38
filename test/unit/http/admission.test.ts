import { expect } from 'chai';
import { InvariantError, QuorateError } from '../../../src/shared/index.ts';
import { ask, post, rawClient, startHarness, until } from './harness.ts';
import type { Harness } from './harness.ts';

describe('http server, what it lets in', () => {
  let it_: Harness;
  const get = (path: string) => ask(it_.address, path);

  beforeEach(async () => {
    it_ = await startHarness();
  });
  afterEach(() => it_.server.stop(0));

  const changing = [
    '/set?key=k&value=v',
    '/del?key=k',
    '/join?peerAddress=a:1',
    '/leave?peerAddress=a:1',
    '/gossipjoin/a:1',
    '/gossipleave',
    '/members/a/transfer',
  ];

  describe('methods', () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      it(`answers 405 with Allow to ${method}`, async () => {
        const read = await ask(it_.address, '/status/k', { method });
        expect([read.status, read.headers.allow]).to.deep.equal([405, 'GET, HEAD, POST']);
        expect(read.body).to.equal(`method ${method} not allowed: use GET, HEAD, POST\n`);
        for (const path of changing) {
          const answer = await ask(it_.address, path, { method });
          expect([answer.status, answer.headers.allow], path).to.deep.equal([405, 'GET, POST']);
        }
        expect(it_.calls).to.deep.equal([]);
      });
    }

    it('answers 405 to HEAD on routes that change something', async () => {
      for (const path of changing) {
        expect((await ask(it_.address, path, { method: 'HEAD' })).status, path).to.equal(405);
      }
      expect(it_.calls).to.deep.equal([]);
    });
  });

  describe('paths', () => {
    for (const path of [
      '/',
      '/nope',
      '/Set?key=k&value=v',
      '/set/x',
      '/leader/x',
      '//',
      '/statusx',
    ]) {
      it(`answers 404 to ${path}`, async () => {
        const answer = await get(path);
        expect(answer.status).to.equal(404);
        expect(answer.body).to.equal(`unknown path ${path.split('?')[0] ?? ''}\n`);
      });
    }

    it('takes a trailing slash and the absolute form', async () => {
      expect((await get('/leader/')).body).to.equal('127.0.0.1:7000\n');
      expect((await get('/set/?key=k&value=v')).body).to.equal('ok\n');
      expect((await get(`http://${it_.address}/set?key=k&value=w`)).body).to.equal('ok\n');
      expect((await get(`http://${it_.address}/status/k`)).body).to.equal('{"k":"w"}\n');
    });
  });

  describe('cross-site requests', () => {
    const foreign: readonly Record<string, string>[] = [
      { origin: 'http://evil.example' },
      { origin: 'http://127.0.0.1:1' },
      { origin: 'null' },
      { origin: 'no url' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of foreign) {
      it(`with ${JSON.stringify(headers)} get 403 on every changing route only`, async () => {
        for (const path of changing) {
          for (const method of ['GET', 'POST']) {
            const answer = await ask(it_.address, path, { method, headers });
            expect([answer.status, answer.body], path).to.deep.equal([
              403,
              'cross-site request refused\n',
            ]);
          }
        }
        expect(it_.calls).to.deep.equal([]);
        expect((await ask(it_.address, '/leader', { headers })).status).to.equal(200);
      });
    }

    it('of the same host pass, whatever the case and the default port', async () => {
      const own: readonly Record<string, string>[] = [
        { origin: `http://${it_.address}` },
        { origin: 'http://Node.Example', host: 'node.example:80' },
        { origin: 'https://node.example', host: 'NODE.example' },
        { 'sec-fetch-site': 'same-origin' },
        { 'sec-fetch-site': 'none' },
      ];
      for (const headers of own) {
        const answer = await ask(it_.address, '/set?key=k&value=v', { headers });
        expect(answer.status, JSON.stringify(headers)).to.equal(200);
      }
    });
  });

  describe('bodies', () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

    it('above 2 MiB get 413 naming the limit, declared or not', async () => {
      const body = `key=k&value=${'v'.repeat(2 * 1024 * 1024)}`;
      const declared = await post(it_.address, '/set', body);
      expect(declared.status).to.equal(413);
      expect(declared.body).to.equal(
        `form body is ${body.length} bytes, above the limit of 2097152 bytes\n`,
      );
      const headers = { ...form, 'Transfer-Encoding': 'chunked' };
      const chunked = await ask(it_.address, '/set', { method: 'POST', headers, body });
      expect(chunked.status).to.equal(413);
      expect(chunked.body).to.match(/above the limit of 2097152 bytes\n$/);
    });

    it('of exactly 2 MiB are read', async () => {
      const body = 'key=k&value=v&pad=';
      const padded = body + 'p'.repeat(2 * 1024 * 1024 - body.length);
      expect((await post(it_.address, '/set', padded)).status).to.equal(200);
    });

    it('that announce themselves are refused before they are sent', async () => {
      const { socket, received } = rawClient(it_.address);
      const head = (length: number) =>
        `POST /set HTTP/1.1\r\nHost: x\r\nContent-Type: ${form['Content-Type']}\r\n` +
        `Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
      socket.write(head(3_000_000));
      await until(() => received().includes('HTTP/1.1 413'));
      expect(received()).not.to.contain('100 Continue');
      socket.destroy();
      const second = rawClient(it_.address);
      second.socket.write(head(13));
      await until(() => second.received().includes('HTTP/1.1 100 Continue'));
      second.socket.write('key=k&value=v');
      await until(() => second.received().includes('HTTP/1.1 200'));
      second.socket.destroy();
    });

    for (const headers of [
      { 'Content-Type': 'application/json' },
      { 'Content-Type': 'multipart/form-data; boundary=x' },
      { ...form, 'Content-Encoding': 'gzip' },
    ]) {
      it(`with ${JSON.stringify(headers)} get 415`, async () => {
        const question = { method: 'POST', headers, body: 'key=k&value=v' };
        expect((await ask(it_.address, '/set', question)).status).to.equal(415);
        expect(it_.calls).to.deep.equal([]);
      });
    }

    it('without a type, or with a charset, are forms', async () => {
      const question = { method: 'POST', body: 'key=k&value=v' };
      expect((await ask(it_.address, '/set', question)).status).to.equal(200);
      const headers = { 'Content-Type': 'Application/X-WWW-Form-Urlencoded; charset=UTF-8' };
      expect((await ask(it_.address, '/set', { ...question, headers })).status).to.equal(200);
    });

    it('beyond what all requests together may hold get 503, and room is given back', async () => {
      await it_.server.stop(0);
      it_ = await startHarness({ formBytesInFlightMax: 100 });
      const { socket } = rawClient(it_.address);
      socket.write('POST /set HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nkey=k&value=');
      socket.write('v'.repeat(80));
      let status = 0;
      while (status !== 503) status = (await post(it_.address, '/set', 'key=k&value=v')).status;
      socket.destroy();
      while (status !== 200) status = (await post(it_.address, '/set', 'key=k&value=v')).status;
      expect((await post(it_.address, '/set', 'key=k&value=v')).status).to.equal(200);
    });

    it('that break off change nothing', async () => {
      const { socket, closed } = rawClient(it_.address);
      socket.end('POST /set HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nkey=k&value=v');
      await closed();
      await until(() => it_.metrics.observed.length > 0);
      expect(it_.calls).to.deep.equal([]);
    });
  });

  describe('failures', () => {
    it('that nobody expected get 500 and a request id, the rest goes to the log', async () => {
      const failures = [new TypeError('secret'), new QuorateError('STORAGE_FAILED', 'secret disk')];
      for (const failure of failures) {
        it_.override.store.set = () => Promise.reject(failure);
        const answer = await get('/set?key=k&value=v');
        expect([answer.status, answer.body]).to.deep.equal([500, 'internal error\n']);
        expect(JSON.stringify(answer.headers)).not.to.contain('secret');
        const line = it_.logs.at(-1);
        expect(line?.level).to.equal('error');
        expect(line?.fields).to.include({ route: '/set', error: failure });
        const id = String(line?.fields['requestId']);
        expect(answer.headers['x-quorate-error']).to.equal(`INTERNAL: request ${id}`);
      }
      expect(it_.broken).to.deep.equal([]);
    });

    it('of an invariant are answered with 500 and handed on', async () => {
      const failure = new InvariantError('index went back');
      it_.override.cluster.leader = () => {
        throw failure;
      };
      expect((await get('/leader')).status).to.equal(500);
      expect(it_.broken).to.deep.equal([failure]);
    });
  });

  it('counts every answer by route pattern and status', async () => {
    await get('/set?key=k&value=v');
    await get('/set');
    await get('/status/k');
    await get('/status');
    await get('/nope');
    await get('/gossipjoin/a:1');
    await until(() => it_.metrics.observed.length === 6);
    expect(it_.metrics.observed).to.deep.equal([
      '/set 200',
      '/set 400',
      '/status/{key} 200',
      '/status 200',
      'unknown 404',
      '/gossipjoin/{a,b} 200',
    ]);
  });
});
