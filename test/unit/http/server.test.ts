import { expect } from 'chai';
import { createHttpServer } from '../../../src/http/index.ts';
import { codeOf } from '../../../src/shared/index.ts';
import { fakeLogger, fakeMetrics, fakeNode } from './fake-node.ts';
import { ask, rawClient, startHarness, until } from './harness.ts';
import type { Harness } from './harness.ts';

describe('createHttpServer on raw connections', () => {
  let it_: Harness;

  beforeEach(async () => {
    it_ = await startHarness();
  });
  afterEach(() => it_.server.stop(0));

  const exchange = async (bytes: string | Buffer): Promise<string> => {
    const { socket, closed } = rawClient(it_.address);
    socket.write(bytes);
    return closed();
  };
  const requestOf = (lineBytes: number): string => {
    const line = (pad: string): string => `GET /get?key=k&pad=${pad} HTTP/1.1`;
    return `${line('p'.repeat(lineBytes - line('').length))}\r\nHost: x\r\nConnection: close\r\n\r\n`;
  };

  it('takes a request line of 64 KiB and refuses one byte more with 431', async () => {
    it_.pairs.set('k', 'v');
    expect(await exchange(requestOf(65_536))).to.match(/^HTTP\/1.1 200 [^]*\r\n\r\nv\n$/);
    const refused = await exchange(requestOf(65_537));
    expect(refused).to.match(/^HTTP\/1.1 431 Request Header Fields Too Large\r\n/);
    expect(refused).to.match(/request line above the limit of 65536 bytes [^\n]*\n$/);
  });

  it('answers 431 to a client that is still sending a far longer request line', async () => {
    const { socket, closed, errors } = rawClient(it_.address);
    socket.write(requestOf(4_000_000));
    const refused = await closed();
    expect(errors).to.deep.equal([]);
    expect(refused).to.match(/^HTTP\/1.1 431 /);
    expect(refused).to.match(
      /Connection: close\r\n\r\nrequest line above the limit of 65536 bytes /,
    );
    expect(it_.metrics.observed).to.deep.equal(['malformed 431']);
  });

  it('answers 431 to too many header bytes', async () => {
    const head = `GET /get?key=k HTTP/1.1\r\nHost: x\r\nX-Pad: ${'p'.repeat(90_000)}\r\n\r\n`;
    expect(await exchange(head)).to.match(/^HTTP\/1.1 431 /);
  });

  for (const garbage of [
    '\x16\x03\x01\x02\x00\x01\x00\x01',
    'hello\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
  ]) {
    it(`answers 400 to ${JSON.stringify(garbage)} and closes`, async () => {
      const answer = await exchange(garbage);
      expect(answer).to.match(/^HTTP\/1.1 400 Bad Request\r\n[^]*\r\n\r\nmalformed request\n$/);
    });
  }

  it('answers 400 to a target with bytes that are not ASCII, saying what to do', async () => {
    const answer = await exchange(
      Buffer.from('GET /set?key=ключ&value=v HTTP/1.1\r\nHost: x\r\n\r\n'),
    );
    expect(answer).to.match(/^HTTP\/1.1 400 [^]*percent-encode what is not printable ASCII\n$/);
  });

  it('never answers garbage in place of the request before it', async () => {
    let release = (): void => undefined;
    it_.override.store.set = () => new Promise<void>((resolve) => (release = resolve));
    const answer = await exchange(
      'GET /set?key=k&value=v HTTP/1.1\r\nHost: x\r\n\r\ngarbage\r\n\r\n',
    );
    release();
    expect(answer).to.equal('');
  });

  it('answers pipelined requests in order', async () => {
    it_.pairs.set('a', '1').set('b', '2');
    const one = (key: string): string => `GET /get?key=${key}&raw=1 HTTP/1.1\r\nHost: x\r\n\r\n`;
    const { socket, received } = rawClient(it_.address);
    socket.write(one('a') + one('b') + one('c'));
    await until(() => received().split('HTTP/1.1 ').length === 4);
    const statuses = [...received().matchAll(/HTTP\/1.1 (\d+)/g)].map((match) => match[1]);
    expect(statuses).to.deep.equal(['200', '200', '404']);
    expect(received().indexOf('\r\n\r\n1')).to.be.lessThan(received().indexOf('\r\n\r\n2'));
    socket.destroy();
  });

  it('cuts off a client whose headers do not arrive in time', async () => {
    await it_.server.stop(0);
    it_ = await startHarness({ headersTimeoutMs: 50, requestTimeoutMs: 50 });
    const answer = await exchange('GET /get?key=k HTTP/1.1\r\nHo');
    expect(answer).to.match(/^HTTP\/1.1 408 Request Timeout\r\n/);
  });

  it('cuts off a client whose body does not arrive in time', async () => {
    await it_.server.stop(0);
    it_ = await startHarness({ headersTimeoutMs: 50, requestTimeoutMs: 50 });
    const { socket, closed } = rawClient(it_.address);
    socket.write('POST /set HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nkey=k');
    await closed();
    expect(it_.calls).to.deep.equal([]);
  });

  it('keeps connections open between requests', async () => {
    const { socket, received } = rawClient(it_.address);
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => received().endsWith('ok\n'));
    expect(received()).to.match(/Connection: keep-alive\r\nKeep-Alive: timeout=75/);
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => received().split('ok\n').length === 3);
    socket.destroy();
  });
});

describe('createHttpServer start and stop', () => {
  const create = () =>
    createHttpServer({
      api: fakeNode().api,
      logger: fakeLogger(),
      metrics: fakeMetrics(),
      version: '0',
    });

  const failureOf = async (listen: string): Promise<Error> => {
    try {
      await create().start(listen);
    } catch (error) {
      expect(codeOf(error)).to.equal('CONFIG_INVALID');
      return error as Error;
    }
    throw new Error('It started');
  };

  it('start() resolves with the bound address', async () => {
    const server = create();
    expect(await server.start('127.0.0.1:0')).to.match(/^127\.0\.0\.1:[1-9]\d*$/);
    await server.stop(0);
  });

  it('start() names --http when the address is taken or wrong', async () => {
    const it_ = await startHarness();
    expect((await failureOf(it_.address)).message).to.equal(
      `Cannot listen as --http ${it_.address}: listen EADDRINUSE: address already in use ${it_.address}`,
    );
    await it_.server.stop(0);
    for (const wrong of ['localhost', '127.0.0.1:', '127.0.0.1:70000', ':x']) {
      expect((await failureOf(wrong)).message).to.equal(
        `Cannot listen as --http ${wrong}: expected host:port`,
      );
    }
  });

  it('stop() lets a running request end and closes what idles', async () => {
    const it_ = await startHarness();
    let release = (): void => undefined;
    it_.override.store.set = () => new Promise<void>((resolve) => (release = resolve));
    const idle = rawClient(it_.address);
    idle.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => idle.received().endsWith('ok\n'));
    const busy = rawClient(it_.address);
    busy.socket.write('GET /set?key=k&value=v HTTP/1.1\r\nHost: x\r\n\r\n');
    const before = release;
    await until(() => release !== before);
    const stopped = it_.server.stop(5000);
    await idle.closed();
    busy.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => it_.metrics.observed.length === 2);
    release();
    expect(await busy.closed()).to.match(
      /^HTTP\/1.1 200 [^]*ok\nHTTP\/1.1 200 [^]*Connection: close\r\n[^]*ok\n$/,
    );
    await stopped;
    await it_.server.stop(0);
    const refused = await ask(it_.address, '/livez').catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
  });

  it('stop() cuts off after the grace period what does not end', async () => {
    const it_ = await startHarness();
    let isCalled = false;
    it_.override.store.set = () => {
      isCalled = true;
      return new Promise<void>(() => undefined);
    };
    const busy = rawClient(it_.address);
    busy.socket.write('GET /set?key=k&value=v HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => isCalled);
    await it_.server.stop(20);
    expect(await busy.closed()).to.equal('');
  });

  it('stop() before start() resolves', () => create().stop(0));
});
