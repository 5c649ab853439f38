import { expect } from 'chai';
import { QuorateError } from '../../../src/shared/index.ts';
import type { ErrorCode } from '../../../src/shared/index.ts';
import { ask, post, startHarness } from './harness.ts';
import type { Harness } from './harness.ts';

describe('http /join, /leave, /gossipjoin, /gossipleave', () => {
  let it_: Harness;
  const get = (path: string) => ask(it_.address, path);

  beforeEach(async () => {
    it_ = await startHarness();
  });
  afterEach(() => it_.server.stop(0));

  it('answer ok and call the node', async () => {
    const paths = [
      '/join?peerAddress=127.0.0.1:7001',
      '/leave?peerAddress=%5B::1%5D:7001&timeout=1',
      '/leave?peerAddress=db-1.example.org:7001&force=1',
      '/gossipjoin/127.0.0.1:8001,127.0.0.1:8002?timeout=9',
      '/gossipjoin/127.0.0.1%3A8001%2C%5B::1%5D:8002',
      '/gossipleave',
      '/members/node-2/transfer',
      '/members/a%2Fb/transfer?timeout=1',
    ];
    for (const path of paths) expect((await get(path)).body, path).to.equal('ok\n');
    expect((await post(it_.address, '/join', 'peerAddress=a:1')).body).to.equal('ok\n');
    expect(it_.calls).to.deep.equal([
      ['join', '127.0.0.1:7001', { timeoutMs: 5000 }],
      ['leave', '[::1]:7001', { timeoutMs: 1000, force: false }],
      ['leave', 'db-1.example.org:7001', { timeoutMs: 5000, force: true }],
      ['gossipJoin', ['127.0.0.1:8001', '127.0.0.1:8002'], { timeoutMs: 9000 }],
      ['gossipJoin', ['127.0.0.1:8001', '[::1]:8002'], { timeoutMs: 5000 }],
      ['gossipLeave'],
      ['transfer', 'node-2', { timeoutMs: 5000 }],
      ['transfer', 'a/b', { timeoutMs: 1000 }],
      ['join', 'a:1', { timeoutMs: 5000 }],
    ]);
  });

  const wrong = [
    '',
    'host',
    'host:',
    ':7000',
    'host:0',
    'host:65536',
    'ho st:1',
    'a/b:1',
    '::1:7000',
  ];
  for (const address of wrong) {
    it(`/join and /leave refuse the address "${address}"`, async () => {
      for (const route of ['/join', '/leave']) {
        const answer = await get(`${route}?peerAddress=${encodeURIComponent(address)}`);
        expect([answer.status, answer.body]).to.deep.equal([400, 'invalid peerAddress\n']);
      }
      const joined = await get(`/gossipjoin/a:1,${encodeURIComponent(address)}`);
      expect([joined.status, joined.body]).to.deep.equal([400, 'param error\n']);
    });
  }

  it('refuse what is missing or too much', async () => {
    expect((await get('/join')).body).to.equal('invalid peerAddress\n');
    expect((await get('/gossipjoin')).body).to.equal('param error\n');
    expect((await get('/gossipjoin/')).status).to.equal(400);
    expect((await get(`/gossipjoin/${Array(65).fill('a:1').join(',')}`)).status).to.equal(400);
    expect((await get('/leave?peerAddress=a:1&force=yes')).status).to.equal(400);
    expect(it_.calls).to.deep.equal([]);
  });

  it('/members/{id}/transfer answers 504 when the node did not lead in time', async () => {
    const late = new QuorateError('UNKNOWN_OUTCOME', 'Cannot make a leader in time');
    it_.override.cluster.transfer = () => Promise.reject(late);
    const answer = await get('/members/a/transfer');
    expect([answer.status, answer.body]).to.deep.equal([504, 'unknown outcome\n']);
  });

  it('/members/{id}/transfer takes one id, and nothing behind it', async () => {
    for (const path of ['/members/a/b/transfer', '/members//transfer', '/members/a/transfers']) {
      expect((await get(path)).status, path).to.equal(404);
    }
    expect((await get('/members/%00/transfer')).status).to.equal(400);
    expect(it_.calls).to.deep.equal([]);
  });

  const failures: readonly [
    'join' | 'leave' | 'transfer' | 'gossipJoin',
    string,
    ErrorCode,
    number,
  ][] = [
    ['join', '/join?peerAddress=a:1', 'UNREACHABLE', 502],
    ['join', '/join?peerAddress=a:1', 'CONFLICT', 409],
    ['leave', '/leave?peerAddress=a:1', 'NOT_FOUND', 404],
    ['transfer', '/members/a/transfer', 'NOT_FOUND', 404],
    ['transfer', '/members/a/transfer', 'CONFLICT', 409],
    ['leave', '/leave?peerAddress=a:1', 'CONFLICT', 409],
    ['gossipJoin', '/gossipjoin/a:1', 'UNREACHABLE', 502],
  ];
  for (const [name, path, code, status] of failures) {
    it(`${path} answers ${status} with the node's words on ${code}`, async () => {
      const message = 'Cannot reach a:1 as a member: connection refused';
      it_.override.cluster[name] = () => Promise.reject(new QuorateError(code, message));
      const answer = await get(path);
      expect([answer.status, answer.body]).to.deep.equal([status, `${message}\n`]);
    });
  }
});
