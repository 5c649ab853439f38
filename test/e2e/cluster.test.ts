import { expect } from 'chai';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster, Daemon, Member } from '../support/e2e/index.ts';
import { form, query, useWorkshop, waitFor } from '../support/e2e/index.ts';

describe('A cluster of three processes', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();
  let cluster: Cluster;

  before(async function () {
    this.timeout(120_000);
    cluster = await workshop.started(3);
  });

  it('/leader names the same member on every node, with its HTTP address', async () => {
    const leader = await cluster.leader();
    for (const node of cluster.nodes) {
      const { text, headers } = await node.ask('/leader');
      expect(text).to.equal(`${leader.raft}\n`);
      expect(headers['x-quorate-leader-http']).to.equal(leader.http);
    }
  });

  it('/set, /get and /del give the same answers on every node, at once', async () => {
    for (const writer of cluster.nodes) {
      for (const reader of cluster.nodes) {
        const value = `${writer.id} for ${reader.id}`;
        await writer.set('k', value);
        expect(await reader.get('k')).to.equal(value);
        await reader.del('k');
        expect(await writer.get('k')).to.equal(null);
      }
    }
  });

  it('/set takes a query and a form body, /get ends the value with a newline unless raw', async () => {
    const node = cluster.node(2);
    const posted = await node.ask('/set', form({ key: 'form', value: 'a+b c&d=e' }));
    expect(posted.text).to.equal('ok\n');
    expect((await node.ask('/get?key=form')).text).to.equal('a+b c&d=e\n');
    expect((await node.ask('/get?key=form&raw=1')).text).to.equal('a+b c&d=e');
    expect((await node.ask('/get', form({ key: 'form' }))).text).to.equal('a+b c&d=e\n');
    const { headers } = await node.ask('/get?key=form');
    expect(headers['content-type']).to.equal('text/plain; charset=utf-8');
    expect(headers['x-content-type-options']).to.equal('nosniff');
  });

  it('/get of an absent key is 404 with a bare newline and the reason in a header', async () => {
    const { status, text, headers } = await cluster.node(3).ask('/get?key=absent');
    expect(status).to.equal(404);
    expect(text).to.equal('\n');
    expect(headers['x-quorate-error']).to.include('absent');
  });

  it('/del of an absent key is ok', async () => {
    await cluster.node(1).del('never there');
  });

  it('values come back byte for byte, with keys that hold slashes and colons', async () => {
    const value = 'ü \n\r\t "\'`$(x) \u{1F600} \u0001 +%41&=';
    const key = 'dc/1:ü db';
    await cluster.node(1).set(key, value);
    for (const node of cluster.nodes) expect(await node.get(key)).to.equal(value);
    const status = await cluster.node(2).ask(`/status/${encodeURIComponent(key)}`);
    expect(JSON.parse(status.text)).to.deep.equal({ [key]: value });
  });

  it('/status shows all pairs in the order of their UTF-8 bytes, the same on every node', async () => {
    const keys = ['\u{1F600}', '\uFF5E', 'b', 'B', 'a/b', 'a'];
    for (const [i, key] of keys.entries()) await cluster.node((i % 3) + 1).set(key, `v${i}`);
    const { text } = await cluster.node(1).ask('/status');
    const order = [...text.matchAll(/"((?:[^"\\]|\\.)*)":/g)].map((match) => match[1] ?? '');
    const inBytes = (a: string, b: string): number =>
      Buffer.compare(Buffer.from(a), Buffer.from(b));
    expect(order.filter((key) => keys.includes(key))).to.deep.equal([...keys].sort(inBytes));
    for (const node of cluster.nodes) {
      await waitFor(
        `${node.id} has applied it`,
        async () => (await node.ask('/status')).text === text,
      );
    }
    expect((await cluster.node(1).ask('/status/absent')).text).to.equal('key absent not found\n');
  });

  it('/keys pages through keys by prefix', async () => {
    for (const key of ['page/1', 'page/2', 'page/3']) await cluster.node(1).set(key, key);
    const path = (after: string): string => `/keys?${query({ prefix: 'page/', limit: 2, after })}`;
    const names = async (after: string): Promise<string[]> => {
      const page = await cluster.node(1).json<{ key: string }[]>(path(after));
      return page.map(({ key }) => key);
    };
    expect(await names('')).to.deep.equal(['page/1', 'page/2']);
    expect(await names('page/2')).to.deep.equal(['page/3']);
  });

  it('concurrent writers through all nodes leave the same state everywhere', async () => {
    const write = async (node: Daemon, i: number): Promise<void> => {
      await node.set(`many/${node.id}/${i % 20}`, `${i}`);
    };
    const writes = cluster.nodes.flatMap((node) =>
      Array.from({ length: 100 }, (_, i) => () => write(node, i)),
    );
    await Promise.all(writes.map((start) => start()));
    const last = await cluster.node(1).ask('/status');
    for (const node of cluster.nodes) {
      expect(await node.get('k')).to.equal(null); // A read barrier: all of it is applied here.
      expect((await node.ask('/status')).text).to.equal(last.text);
    }
  });

  it('/raftnodes, /gossipnodes and /membersconsensus know the three', async () => {
    const raft = cluster.nodes.map((node) => node.raft).sort();
    const gossip = cluster.nodes.map((node) => node.gossip).sort();
    for (const node of cluster.nodes) {
      await waitFor('gossip knows all', async () => {
        expect(await node.json('/gossipnodes')).to.deep.equal(gossip);
        return true;
      });
      expect(await node.json('/raftnodes')).to.deep.equal(raft);
      expect((await node.ask('/membersconsensus')).text).to.equal('ok\n');
    }
  });

  it('/members tells role, addresses and progress of each', async () => {
    const leader = await cluster.leader();
    const members = await cluster.node(1).json<Member[]>('/members');
    expect(members.map(({ id }) => id).sort()).to.deep.equal(['node1', 'node2', 'node3']);
    for (const { id, role, addresses, matchIndex, incarnation } of members) {
      const node = cluster.nodes.find((one) => one.id === id);
      expect(role).to.equal(id === leader.id ? 'leader' : 'voter');
      expect(addresses).to.deep.equal({ http: node?.http, raft: node?.raft, gossip: node?.gossip });
      expect(matchIndex).to.be.above(0);
      expect(incarnation).to.match(/^[0-9a-f]{16}$/);
    }
  });

  it('/livez, /readyz, /version and /metrics answer machines', async () => {
    const node = cluster.node(1);
    expect((await node.ask('/livez')).text).to.equal('ok\n');
    expect((await node.ask('/readyz')).text).to.match(/^ok\n/);
    expect(await node.json('/version')).to.have.property('version');
    const metrics = await node.ask('/metrics');
    expect(metrics.headers['content-type']).to.match(/^text\/plain/);
    expect(metrics.text).to.match(/^quorate_\w+({[^}]*})? \d/m);
  });

  it('the active log segment is open with O_DSYNC', function () {
    if (process.platform !== 'linux') this.skip();
    const dsync = 0o10000; // O_DSYNC of Linux; O_SYNC contains it.
    for (const node of cluster.nodes) {
      const segments = openFiles(node.pid).filter(({ path }) =>
        path.startsWith(join(node.dataDirectory, 'log')),
      );
      const synced = segments.filter(({ flags }) => (flags & dsync) === dsync);
      expect(
        synced.map(({ path }) => path),
        JSON.stringify(segments),
      ).to.not.be.empty;
    }
  });

  it('SIGTERM ends a node with 0 and hands leadership over; a new start resumes its data', async () => {
    const leader = await cluster.leader();
    await leader.set('before', 'stop');
    const others = cluster.nodes.filter((node) => node !== leader);
    const mark = leader.output.length;
    expect(await leader.stop()).to.equal(0);
    // An ordinary election would follow as well: only the log tells that it was asked for.
    await leader.said(/Handed leadership over|without handing leadership over/, mark);
    const next = await cluster.leader(others);
    expect(next).to.not.equal(leader);
    await next.set('while', 'away');
    leader.start();
    await cluster.settled();
    expect(await leader.get('before')).to.equal('stop');
    expect(await leader.get('while')).to.equal('away');
  });

  it('all nodes stopped and started again, in another order, serve what they had', async () => {
    const { text } = await cluster.node(1).ask('/status');
    await cluster.stop();
    for (const node of [...cluster.nodes].reverse()) node.start();
    await cluster.settled();
    for (const node of cluster.nodes) {
      await node.get('k');
      expect((await node.ask('/status')).text).to.equal(text);
    }
  });
});

describe('A first start', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();

  it('waits for the node with --bootstrap, says so, and answers 503 meanwhile', async () => {
    const cluster = await workshop.cluster(3);
    const [first, second, third] = [cluster.node(1), cluster.node(2), cluster.node(3)];
    second.start();
    third.start();
    await second.said('trying again');
    const refused = await second.ask(`/set?${query({ key: 'k', value: 'v', timeout: 1 })}`);
    expect([refused.status, refused.text]).to.deep.equal([503, 'no leader\n']);
    expect(Number(refused.headers['retry-after'])).to.be.above(0);
    const leader = await second.ask('/leader');
    expect([leader.status, leader.text]).to.deep.equal([503, 'error no leader\n']);
    expect((await second.ask('/readyz')).status).to.equal(503);
    expect((await second.ask('/livez')).status).to.equal(200);
    first.start();
    await cluster.settled();
    await third.set('k', 'v');
    expect(await second.get('k')).to.equal('v');
  });

  it('with --bootstrap and nobody else there makes a cluster of one that serves', async () => {
    const cluster = await workshop.started(1);
    await cluster.node(1).set('k', 'v');
    expect(await cluster.node(1).get('k')).to.equal('v');
    expect(await cluster.node(1).stop()).to.equal(0);
  });
});

interface OpenFile {
  readonly path: string;
  readonly flags: number;
}

function openFiles(pid: number): OpenFile[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      const path = readlinkSync(`/proc/${pid}/fd/${name}`);
      const info = readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8');
      return [{ path, flags: parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8) }];
    } catch {
      return []; // Closed meanwhile.
    }
  });
}
