import { expect } from 'chai';
import { QuorateError } from '../../../src/shared/index.ts';
import type { ErrorCode } from '../../../src/shared/index.ts';
import { ask, post, startHarness } from './harness.ts';
import type { Harness } from './harness.ts';

describe('http /set, /get, /del, /keys', () => {
  let it_: Harness;
  const get = (path: string) => ask(it_.address, path);

  beforeEach(async () => {
    it_ = await startHarness();
  });
  afterEach(() => it_.server.stop(0));

  const failing = (name: 'set' | 'del' | 'get', code: ErrorCode) => {
    const reject = () => Promise.reject(new QuorateError(code, 'Cannot do it'));
    Object.assign(it_.override.store, { [name]: reject });
  };

  describe('/set', () => {
    it('answers ok and hands the decoded key and value to the node', async () => {
      const answer = await get('/set?key=a%3Ab%2Fc+d&value=%D0%BA%D0%BB%D1%8E%D1%87%20%2B');
      expect(answer.status).to.equal(200);
      expect(answer.body).to.equal('ok\n');
      expect(answer.headers['content-type']).to.equal('text/plain; charset=utf-8');
      expect(answer.headers['x-content-type-options']).to.equal('nosniff');
      expect(it_.calls).to.deep.equal([['set', 'a:b/c d', 'ключ +', { timeoutMs: 5000 }]]);
    });

    it('takes UTF-8 bytes in a form body that the client did not encode', async () => {
      expect((await post(it_.address, '/set', 'key=日本&value=%C3%A9é+%2B')).status).to.equal(200);
      expect([...it_.pairs]).to.deep.equal([['日本', 'éé +']]);
    });

    it('takes parameters from a form body, and from query and body together', async () => {
      expect((await post(it_.address, '/set', 'key=k&value=a+b%26c')).body).to.equal('ok\n');
      expect((await post(it_.address, '/set?key=q', 'value=v')).body).to.equal('ok\n');
      expect((await ask(it_.address, '/set?key=p&value=v', { method: 'POST' })).status).to.equal(
        200,
      );
      expect([...it_.pairs]).to.deep.equal([
        ['k', 'a b&c'],
        ['q', 'v'],
        ['p', 'v'],
      ]);
    });

    const refused: readonly [string, string][] = [
      ['no key', '/set?value=v'],
      ['no value', '/set?key=k'],
      ['an empty key', '/set?key=&value=v'],
      ['an empty value', '/set?key=k&value='],
      ['a value without equals sign', '/set?key=k&value'],
      ['nothing at all', '/set'],
      ['a NUL in the key', '/set?key=a%00b&value=v'],
      ['a NUL in the value', '/set?key=k&value=%00'],
      ['a repeated key', '/set?key=a&key=b&value=v'],
      ['a repeated value', '/set?key=a&value=v&value=v'],
      ['a malformed escape', '/set?key=k&value=%zz'],
      ['a cut-off escape', '/set?key=k&value=a%2'],
      ['bytes that are not UTF-8', '/set?key=k&value=%ff%fe'],
      ['an encoded surrogate', '/set?key=k&value=%ed%a0%80'],
      ['an overlong form', '/set?key=%c0%af&value=v'],
      ['a timeout of zero', '/set?key=k&value=v&timeout=0'],
      ['a negative timeout', '/set?key=k&value=v&timeout=-1'],
      ['a timeout above a minute', '/set?key=k&value=v&timeout=60.001'],
      ['a timeout with a unit', '/set?key=k&value=v&timeout=5s'],
      ['an empty timeout', '/set?key=k&value=v&timeout='],
      ['too many parameters', `/set?key=k&value=v&${'x&'.repeat(99)}`],
    ];
    for (const [what, path] of refused) {
      it(`refuses ${what} with 400 param error and calls nothing`, async () => {
        const answer = await get(path);
        expect(answer.status).to.equal(400);
        expect(answer.body).to.equal('param error\n');
        expect(answer.headers['x-quorate-error']).to.match(/^PARAM_INVALID: ./);
        expect(it_.calls).to.deep.equal([]);
      });
    }

    it('refuses a parameter given in the query and in the body', async () => {
      const answer = await post(it_.address, '/set?key=k', 'key=k&value=v');
      expect(answer.status).to.equal(400);
      expect(answer.headers['x-quorate-error']).to.equal(
        'PARAM_INVALID: key is given more than once',
      );
    });

    it('passes timeout= on in milliseconds', async () => {
      await get('/set?key=k&value=v&timeout=0.25');
      await get('/set?key=k&value=v&timeout=60');
      expect(it_.calls.map((call) => call[3])).to.deep.equal([
        { timeoutMs: 250 },
        { timeoutMs: 60_000 },
      ]);
    });

    it('counts decoded bytes: the limits themselves pass, one byte more is 413', async () => {
      const key = 'é'.repeat(512);
      const value = '%41'.repeat(512 * 1024);
      expect((await post(it_.address, '/set', `key=${key}&value=${value}`)).status).to.equal(200);
      const longKey = await post(it_.address, '/set', `key=${key}a&value=v`);
      expect(longKey.status).to.equal(413);
      expect(longKey.body).to.equal('key is 1025 bytes, above the limit of 1024 bytes\n');
      const longValue = await post(it_.address, '/set', `key=k&value=${value}a`);
      expect(longValue.status).to.equal(413);
      expect(longValue.body).to.equal('value is 524289 bytes, above the limit of 524288 bytes\n');
    });

    const failures: readonly [ErrorCode, number, string][] = [
      ['PARAM_INVALID', 400, 'param error\n'],
      ['TOO_LARGE', 413, 'Cannot do it\n'],
      ['NO_LEADER', 503, 'no leader\n'],
      ['NOT_LEADER', 503, 'no leader\n'],
      ['OVERLOADED', 503, 'overloaded\n'],
      ['STOPPED', 503, 'stopping\n'],
      ['UNKNOWN_OUTCOME', 504, 'unknown outcome\n'],
      ['STORE_FULL', 507, 'Cannot do it\n'],
    ];
    for (const [code, status, body] of failures) {
      it(`answers ${status} when the node rejects with ${code}`, async () => {
        failing('set', code);
        const answer = await get('/set?key=k&value=v');
        expect(answer.status).to.equal(status);
        expect(answer.body).to.equal(body);
        expect(answer.headers['x-quorate-error']).to.equal(`${code}: Cannot do it`);
        expect(answer.headers['retry-after']).to.equal(status === 503 ? '1' : undefined);
      });
    }
  });

  describe('X-Client-Id and X-Request-Id', () => {
    const send = (path: string, headers: Record<string, string | string[]>) =>
      ask(it_.address, path, { headers });

    it('are handed to the node by /set and /del', async () => {
      const headers = { 'X-Client-Id': 'client-1', 'X-Request-Id': '9007199254740991' };
      const client = { clientId: 'client-1', requestId: Number.MAX_SAFE_INTEGER };
      expect((await send('/set?key=k&value=v', headers)).status).to.equal(200);
      expect((await send('/del?key=k', headers)).status).to.equal(200);
      expect(it_.calls).to.deep.equal([
        ['set', 'k', 'v', { timeoutMs: 5000, client }],
        ['del', 'k', { timeoutMs: 5000, client }],
      ]);
    });

    it('mean nothing when a proxy gives a request id of its own', async () => {
      const headers = { 'X-Request-Id': '7f3a-some-trace-id' };
      expect((await send('/set?key=k&value=v', headers)).status).to.equal(200);
      expect(it_.calls).to.deep.equal([['set', 'k', 'v', { timeoutMs: 5000 }]]);
    });

    const badHeaders: readonly [string, Record<string, string | string[]>, RegExp][] = [
      ['a client alone', { 'X-Client-Id': 'a' }, /without X-Request-Id/],
      ['request 0', { 'X-Client-Id': 'a', 'X-Request-Id': '0' }, /X-Request-Id must be/],
      ['request -1', { 'X-Client-Id': 'a', 'X-Request-Id': '-1' }, /X-Request-Id must be/],
      ['request 1.5', { 'X-Client-Id': 'a', 'X-Request-Id': '1.5' }, /X-Request-Id must be/],
      [
        'a request above 2^53 - 1',
        { 'X-Client-Id': 'a', 'X-Request-Id': '9007199254740992' },
        /X-Request-Id must be/,
      ],
      ['an empty client', { 'X-Client-Id': '', 'X-Request-Id': '1' }, /X-Client-Id must be/],
      ['a space', { 'X-Client-Id': 'a b', 'X-Request-Id': '1' }, /X-Client-Id must be/],
      ['two clients', { 'X-Client-Id': ['a', 'b'], 'X-Request-Id': '1' }, /X-Client-Id must be/],
      [
        '65 characters',
        { 'X-Client-Id': 'x'.repeat(65), 'X-Request-Id': '1' },
        /X-Client-Id must be/,
      ],
    ];
    for (const [what, headers, reason] of badHeaders) {
      it(`are refused as ${what}`, async () => {
        const answer = await send('/set?key=k&value=v', headers);
        expect(answer.status).to.equal(400);
        expect(answer.body).to.equal('param error\n');
        expect(answer.headers['x-quorate-error']).to.match(reason);
        expect(it_.calls).to.deep.equal([]);
      });
    }

    it('make 410 of a session that is not known', async () => {
      failing('set', 'SESSION_EXPIRED');
      const answer = await send('/set?key=k&value=v', { 'X-Client-Id': 'a', 'X-Request-Id': '2' });
      expect(answer.status).to.equal(410);
      expect(answer.body).to.equal('Cannot do it\n');
    });

    it('/sessions gives ids that serve as clients, another one each time', async () => {
      const ids = [await post(it_.address, '/sessions', ''), await get('/sessions')];
      for (const { status, body } of ids) {
        expect(status).to.equal(200);
        expect(body).to.match(/^[\x21-\x7e]{1,64}\n$/);
      }
      expect(ids[0]?.body).to.not.equal(ids[1]?.body);
    });
  });

  describe('/get', () => {
    beforeEach(() => void it_.pairs.set('k', 'ключ\n'));

    it('answers the value and a newline, raw=1 the value alone', async () => {
      const answer = await get('/get?key=k');
      expect(answer.status).to.equal(200);
      expect(answer.body).to.equal('ключ\n\n');
      expect(answer.headers['content-type']).to.equal('text/plain; charset=utf-8');
      expect(answer.headers['x-content-type-options']).to.equal('nosniff');
      expect((await get('/get?key=k&raw=1')).body).to.equal('ключ\n');
      expect((await get('/get?key=k&raw=0')).body).to.equal('ключ\n\n');
      expect((await post(it_.address, '/get', 'key=k&raw=1')).body).to.equal('ключ\n');
    });

    it('answers bytes as they are, UTF-8 or not', async () => {
      it_.override.store.get = () => Promise.resolve(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61));
      expect((await get('/get?key=k&raw=1')).headers['content-length']).to.equal('4');
    });

    it('answers 404 with a bare newline, the reason in a header', async () => {
      for (const path of ['/get?key=n%C3%B6', '/get?key=n%C3%B6&raw=1']) {
        const answer = await get(path);
        expect(answer.status).to.equal(404);
        expect(answer.body).to.equal('\n');
        expect(answer.headers['x-quorate-error']).to.equal('KEY_NOT_FOUND: key n? not found');
      }
    });

    it('reads linearizably unless consistency=local', async () => {
      await get('/get?key=k');
      await get('/get?key=k&consistency=linearizable&timeout=1');
      await get('/get?key=k&consistency=local');
      expect(it_.calls).to.deep.equal([
        ['get', 'k', { consistency: 'linearizable', timeoutMs: 5000 }],
        ['get', 'k', { consistency: 'linearizable', timeoutMs: 1000 }],
        ['get', 'k', { consistency: 'local', timeoutMs: 5000 }],
      ]);
    });

    for (const query of [
      '',
      'key=',
      'key=k&consistency=eventual',
      'key=k&consistency=',
      'key=k&raw=2',
    ]) {
      it(`refuses ?${query} with 400`, async () => {
        const answer = await get(`/get?${query}`);
        expect(answer.status).to.equal(400);
        expect(answer.body).to.equal('param error\n');
      });
    }

    it('answers 503 no leader', async () => {
      failing('get', 'NO_LEADER');
      const answer = await get('/get?key=k');
      expect([answer.status, answer.body]).to.deep.equal([503, 'no leader\n']);
      expect(answer.headers['retry-after']).to.equal('1');
    });

    it('takes HEAD: headers only', async () => {
      const answer = await ask(it_.address, '/get?key=k', { method: 'HEAD' });
      expect([answer.status, answer.body]).to.deep.equal([200, '']);
      expect(answer.headers['content-length']).to.equal('10');
    });
  });

  describe('/del', () => {
    it('answers ok, also when the key is absent', async () => {
      it_.pairs.set('k', 'v');
      expect((await get('/del?key=k&timeout=2')).body).to.equal('ok\n');
      expect((await post(it_.address, '/del', 'key=k')).body).to.equal('ok\n');
      expect(it_.calls).to.deep.equal([
        ['del', 'k', { timeoutMs: 2000 }],
        ['del', 'k', { timeoutMs: 5000 }],
      ]);
    });

    it('refuses as /set does', async () => {
      expect((await get('/del')).body).to.equal('param error\n');
      expect((await get('/del?key=')).status).to.equal(400);
      expect((await get(`/del?key=${'k'.repeat(1025)}`)).status).to.equal(413);
      failing('del', 'UNKNOWN_OUTCOME');
      expect((await get('/del?key=k')).body).to.equal('unknown outcome\n');
    });
  });

  describe('/keys', () => {
    it('answers keys with their revisions and passes prefix, after and limit on', async () => {
      it_.pairs.set('k', 'v');
      const answer = await get('/keys?prefix=k&after=a%3A&limit=7');
      expect(answer.headers['content-type']).to.equal('application/json; charset=utf-8');
      expect(JSON.parse(answer.body)).to.deep.equal([
        {
          key: 'k',
          createRevision: 1,
          modRevision: 3,
          version: 2,
          valueRevision: 3,
          valueBytes: 1,
        },
      ]);
      await get('/keys?prefix=&limit=&after=');
      expect(it_.calls).to.deep.equal([
        ['keys', { prefix: 'k', after: 'a:', limit: 7 }],
        ['keys', { prefix: '', after: '', limit: 100 }],
      ]);
    });

    for (const limit of ['0', '-1', '1001', 'ten', '1.5']) {
      it(`refuses limit=${limit} with 400`, async () => {
        expect((await get(`/keys?limit=${limit}`)).status).to.equal(400);
      });
    }
  });
});
