import { expect } from 'chai';
import type { KeyHealthView } from '../../../src/http/index.ts';
import { ask, startHarness } from './harness.ts';
import { health } from './fake-node.ts';
import type { Answer, Harness } from './harness.ts';

describe('http routes that show what a node knows', () => {
  let it_: Harness;
  const get = (path: string) => ask(it_.address, path);

  beforeEach(async () => {
    it_ = await startHarness();
  });
  afterEach(() => it_.server.stop(0));

  const expectNotFound = (answer: Answer, key: string) => {
    expect(answer.status).to.equal(404);
    expect(answer.body).to.equal(`key ${key} not found\n`);
    expect(answer.headers['content-type']).to.equal('text/plain; charset=utf-8');
  };

  describe('/status', () => {
    it('answers one JSON object in the order of the node', async () => {
      it_.pairs.set('a', '1').set('__proto__', '"\\\n').set('ü', 'ключ');
      const answer = await get('/status');
      expect(answer.status).to.equal(200);
      expect(answer.headers['content-type']).to.equal('application/json; charset=utf-8');
      expect(answer.body).to.equal('{"a":"1","__proto__":"\\"\\\\\\n","ü":"ключ"}\n');
    });

    it('answers {} when there is nothing', async () => {
      expect((await get('/status')).body).to.equal('{}\n');
      expect((await get('/status/')).body).to.equal('{}\n');
    });

    it('answers 500 when the first rows cannot be read', async () => {
      it_.override.store.pairs = () => {
        throw new Error('disk');
      };
      expect((await get('/status')).body).to.equal('internal error\n');
    });
  });

  describe('/status/{key}', () => {
    const keys: readonly [string, string][] = [
      ['plain', 'plain'],
      ['db:1', 'db:1'],
      ['a%2Fb', 'a/b'],
      ['a/b', 'a/b'],
      ['a%2F', 'a/'],
      ['a+b', 'a+b'],
      ['a%20b', 'a b'],
      ['100%2525', '100%25'],
      ['%D0%BA', 'к'],
      ['%3Fq%23', '?q#'],
    ];
    for (const [inPath, key] of keys) {
      it(`takes ${inPath} for the key ${key}, decoding once`, async () => {
        it_.pairs.set(key, 'v');
        const answer = await get(`/status/${inPath}?x=y`);
        expect(answer.status).to.equal(200);
        expect(JSON.parse(answer.body)).to.deep.equal({ [key]: 'v' });
        expect(it_.calls).to.deep.equal([['get', key, { consistency: 'local', timeoutMs: 5000 }]]);
      });
    }

    it('answers 404 naming the key', async () => {
      expectNotFound(await get('/status/n%C3%B6%2F1'), 'nö/1');
    });

    for (const inPath of ['%zz', '%ff', 'a%00']) {
      it(`refuses ${inPath} with 400`, async () => {
        const answer = await get(`/status/${inPath}`);
        expect([answer.status, answer.body]).to.deep.equal([400, 'param error\n']);
      });
    }
  });

  describe('/detectordata', () => {
    it('answers all samples by key, oldest first, in RFC 3339', async () => {
      const answer = await get('/detectordata');
      expect(answer.body).to.equal(
        '{"db:1":[{"Status":"UP","Time":"2006-01-02T15:04:05.000Z"},' +
          '{"Status":"EMPTY","Time":"2006-01-02T15:04:15.000Z"}],"__proto__":[]}\n',
      );
    });

    it('answers one key, or 404', async () => {
      expect((await get('/detectordata/__proto__')).body).to.equal('{"__proto__":[]}\n');
      expectNotFound(await get('/detectordata/db%3A2'), 'db:2');
    });
  });

  describe('/gossipstatus', () => {
    const db1 =
      '"db:1":{"PrevEventTime":"2006-01-02 15:04:05","PrevConsensus":"UP","Empty":true,' +
      '"EmptyTime":"2006-01-02 16:00:00","Consensus":{' +
      '"127.0.0.1:8000":{"GossipStatus":"UP","TimeStamp":"2006-01-02 15:00:00"},' +
      '"127.0.0.1:8001":{"GossipStatus":"LESS_THAN_MINSAMPLE","TimeStamp":""}}}';

    it('answers what each member said, times in UTC or empty', async () => {
      const fresh =
        '"new":{"PrevEventTime":"","PrevConsensus":"","Empty":false,"EmptyTime":"","Consensus":{}}';
      expect((await get('/gossipstatus')).body).to.equal(`{${db1},${fresh}}\n`);
    });

    it('answers one key, or 404', async () => {
      expect((await get('/gossipstatus/db:1')).body).to.equal(`{${db1}}\n`);
      expectNotFound(await get('/gossipstatus/none'), 'none');
    });
  });

  describe('/health', () => {
    it('answers a page of keys with what the leader decides and this node sees', async () => {
      const answer = await get('/health?prefix=db&after=a&limit=7');
      const [first, second] = JSON.parse(answer.body) as Partial<KeyHealthView>[];
      expect(first).to.include({ key: 'db:1', valueRevision: 3, state: 'UP', decidedBy: 'node2' });
      expect(first?.waiting).to.equal(first?.reason);
      expect(first?.votes).to.deep.equal(health[0]?.votes);
      const at = '2006-01-02T15:04:05.000Z';
      const sample = { status: 'DOWN', at, detail: 'DOWN\nrefused' };
      expect(first?.lastSample).to.deep.equal(sample);
      expect(second).to.include({ key: 'new', state: '', waiting: null, lastSample: null });
      expect(it_.calls).to.deep.equal([['health', { prefix: 'db', after: 'a', limit: 7 }]]);
    });

    it('answers one key, or 404', async () => {
      const { body } = await get('/health/db%3A1');
      expect(JSON.parse(body)).to.include({ key: 'db:1', empty: false });
      expectNotFound(await get('/health/none'), 'none');
      expect((await get('/health?limit=0')).status).to.equal(400);
    });
  });

  describe('/events', () => {
    it('answers a JSON array and passes key and limit on', async () => {
      const answer = await get('/events?key=db%3A1&limit=5');
      const ids = (JSON.parse(answer.body) as { id: number }[]).map(({ id }) => id);
      expect(ids).to.deep.equal([42, 41]);
      await get('/events');
      expect(it_.calls).to.deep.equal([
        ['events', { key: 'db:1', limit: 5 }],
        ['events', { key: '', limit: 100 }],
      ]);
    });

    it('answers one event by id', async () => {
      const event = JSON.parse((await get('/events/42')).body) as object;
      expect(event).to.deep.include({ id: 42, token: '0000000001.0000000000000042' });
    });

    it('refuses unknown ids with 404 and other words with 400', async () => {
      const unknown = await get('/events/43');
      expect([unknown.status, unknown.body]).to.deep.equal([404, 'event 43 not found\n']);
      expect((await get('/events/x')).status).to.equal(400);
      expect((await get('/events/-1')).status).to.equal(400);
      expect((await get('/events?limit=1001')).status).to.equal(400);
    });
  });

  describe('/leader', () => {
    it('answers the raft address, the HTTP address in a header', async () => {
      const answer = await get('/leader');
      expect([answer.status, answer.body]).to.deep.equal([200, '127.0.0.1:7000\n']);
      expect(answer.headers['x-quorate-leader-http']).to.equal('127.0.0.1:6000');
    });

    it('answers 503 error no leader', async () => {
      it_.override.cluster.leader = () => null;
      const answer = await get('/leader');
      expect([answer.status, answer.body]).to.deep.equal([503, 'error no leader\n']);
      expect(answer.headers['x-quorate-leader-http']).to.equal(undefined);
    });
  });

  describe('cluster', () => {
    it('/raftnodes and /gossipnodes answer sorted JSON arrays', async () => {
      expect((await get('/raftnodes')).body).to.equal('["127.0.0.1:7000","127.0.0.1:7001"]\n');
      expect((await get('/gossipnodes')).body).to.equal('["127.0.0.1:8000","127.0.0.1:8001"]\n');
    });

    it('/membersconsensus answers ok, or 503 with both sorted lists', async () => {
      expect((await get('/membersconsensus')).body).to.equal('ok\n');
      const differ = { same: false, raft: ['b', 'a'], gossip: ['c', 'b', 'a'] };
      it_.override.cluster.membersConsensus = () => differ;
      const answer = await get('/membersconsensus');
      expect(answer.status).to.equal(503);
      expect(answer.body).to.equal('error raft members [a b] , gossip members [a b c] differ\n');
    });

    it('/members answers what is known of each', async () => {
      expect(JSON.parse((await get('/members')).body)).to.deep.equal([
        {
          id: 'node1',
          incarnation: '00112233aabbccdd',
          role: 'leader',
          zone: 'east',
          addresses: { http: '127.0.0.1:6000', raft: '127.0.0.1:7000', gossip: '127.0.0.1:8000' },
          matchIndex: 7,
          lastContactMs: 0,
        },
      ]);
    });
  });

  describe('probes', () => {
    it('/livez answers ok', async () => {
      expect((await get('/livez')).body).to.equal('ok\n');
    });

    it('/readyz answers 200 with warnings, 503 with problems', async () => {
      expect((await get('/readyz')).body).to.equal('ok\n');
      const warnings = ['gossipQuorum 4 is above 3 members'];
      it_.override.cluster.readiness = () => ({ ready: true, problems: [], warnings });
      const warned = await get('/readyz');
      expect(warned.status).to.equal(200);
      expect(warned.body).to.equal('ok\nwarning: gossipQuorum 4 is above 3 members\n');
      it_.override.cluster.readiness = () => ({ ready: false, problems: ['no leader'], warnings });
      const problem = await get('/readyz');
      expect(problem.status).to.equal(503);
      expect(problem.body).to.equal(
        'not ready\nproblem: no leader\nwarning: gossipQuorum 4 is above 3 members\n',
      );
    });

    it('/metrics answers what the registry renders', async () => {
      const answer = await get('/metrics');
      expect(answer.body).to.equal('quorate_raft_term 3\n');
      expect(answer.headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
    });

    it('/version answers the version', async () => {
      expect((await get('/version')).body).to.equal('{"version":"1.2.3"}\n');
    });
  });

  it('every read takes HEAD and POST as well', async () => {
    it_.pairs.set('k', 'v');
    const reads = [
      '/status',
      '/status/k',
      '/detectordata',
      '/gossipstatus',
      '/leader',
      '/raftnodes',
    ];
    const more = [
      '/gossipnodes',
      '/membersconsensus',
      '/events',
      '/events/42',
      '/keys',
      '/health',
      '/health/db:1',
      '/members',
    ];
    for (const path of [...reads, ...more, '/livez', '/readyz', '/metrics', '/version']) {
      const whole = await get(path);
      const head = await ask(it_.address, path, { method: 'HEAD' });
      expect([head.status, head.body], path).to.deep.equal([200, '']);
      expect(head.headers['content-length'], path).to.equal(whole.headers['content-length']);
      expect((await ask(it_.address, path, { method: 'POST' })).body, path).to.equal(whole.body);
    }
  });
});
