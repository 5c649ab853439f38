import { expect } from 'chai';
import type { Cluster, Daemon } from '../support/e2e/index.ts';
import { form, query, useWorkshop, waitFor } from '../support/e2e/index.ts';

interface KeySummary {
  readonly key: string;
  readonly version: number;
}

describe('A client session', function () {
  this.timeout(180_000);
  const workshop = useWorkshop();
  let cluster: Cluster;

  before(async function () {
    this.timeout(120_000);
    cluster = await workshop.started(3);
  });

  async function newClient(): Promise<string> {
    const { status, text } = await cluster.node(1).ask('/sessions', { method: 'POST' });
    expect(status).to.equal(200);
    return text.trim();
  }

  /** Sends the request; 0 when the node was gone. */
  async function send(node: Daemon, client: string, request: number): Promise<number> {
    const { headers, ...rest } = form({ key: client, value: `value ${request}` });
    const numbered = { ...headers, 'X-Client-Id': client, 'X-Request-Id': request };
    const answer = await node.ask('/set', { ...rest, headers: numbered }).catch(() => null);
    return answer?.status ?? 0;
  }

  async function versionOn(node: Daemon, client: string): Promise<number | undefined> {
    await node.get(client, 'linearizable');
    const keys = await node.json<KeySummary[]>(`/keys?${query({ prefix: client })}`);
    return keys.find(({ key }) => key === client)?.version;
  }

  it('applies a request once, however often it is sent while the leader is killed', async () => {
    const client = await newClient();
    const leader = await cluster.leader();
    const others = cluster.nodes.filter((node) => node !== leader);
    expect(await send(leader, client, 1)).to.equal(200);
    const first = cluster.nodes.map((node) => send(node, client, 2));
    await leader.kill();
    await Promise.all(first);
    for (const node of others) {
      await waitFor('request 2 is answered', async () => (await send(node, client, 2)) === 200);
    }
    for (const node of others) expect(await versionOn(node, client)).to.equal(2);
    leader.start();
    await cluster.settled();
    expect(await send(leader, client, 2)).to.equal(200);
    expect(await versionOn(leader, client)).to.equal(2);
  });

  it('is answered from after all nodes were killed and are there again', async () => {
    const client = await newClient();
    for (const request of [1, 2, 3])
      expect(await send(cluster.node(1), client, request)).to.equal(200);
    await cluster.kill();
    await cluster.start();
    for (const node of cluster.nodes) {
      for (const request of [1, 2, 3]) expect(await send(node, client, request)).to.equal(200);
    }
    expect(await versionOn(cluster.node(1), client)).to.equal(3);
  });

  it('answers 410 to a request whose session is not known', async () => {
    const client = await newClient();
    for (const node of cluster.nodes) expect(await send(node, client, 2)).to.equal(410);
    expect(await cluster.node(1).get(client)).to.equal(null);
  });
});
