import { expect } from 'chai';
import type { Cluster, Daemon, Member } from '../support/e2e/index.ts';
import { useWorkshop, waitFor } from '../support/e2e/index.ts';

describe('A node that was removed', function () {
  this.timeout(120_000);
  const workshop = useWorkshop();
  let cluster: Cluster;
  let victim: Daemon;
  let host: Daemon;

  beforeEach(async function () {
    this.timeout(120_000);
    cluster = await workshop.started(3);
    const [first, second] = await cluster.followers();
    if (first === undefined || second === undefined) throw new Error('Two nodes must follow');
    [victim, host] = [first, second];
    await host.set('k', 'v');
  });
  afterEach(() => cluster.kill());

  const incarnationOf = async (id: string): Promise<string | undefined> =>
    (await host.json<Member[]>('/members')).find((member) => member.id === id)?.incarnation;

  const leave = (): Promise<void> => host.change('/leave', { peerAddress: victim.raft });
  const join = (): Promise<void> => host.change('/join', { peerAddress: victim.raft, timeout: 30 });

  async function isBackAsAnother(before: string | undefined): Promise<void> {
    const after = await incarnationOf(victim.id);
    expect(after).to.be.a('string').and.not.equal(before);
    await cluster.settled();
    expect(await victim.get('k')).to.equal('v');
  }

  it('says so in /readyz, and /join lets it in again as a new incarnation', async () => {
    const before = await incarnationOf(victim.id);
    await leave();
    await waitFor('it knows of its removal', async () => {
      const { status, text } = await victim.ask('/readyz');
      return status === 503 && text.includes('removed from the cluster');
    });
    await join();
    await isBackAsAnother(before);
  });

  it('is let in again by /join also when it was down as it was removed', async () => {
    const before = await incarnationOf(victim.id);
    await victim.stop();
    await leave();
    victim.start();
    await waitFor('it serves', async () => (await victim.ask('/livez')).status === 200);
    expect(await incarnationOf(victim.id)).to.equal(undefined);
    await join();
    await isBackAsAnother(before);
  });
});
