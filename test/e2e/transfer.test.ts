import { expect } from 'chai';
import type { Cluster, Member } from '../support/e2e/index.ts';
import { useWorkshop, waitFor } from '../support/e2e/index.ts';

describe('Leadership that is handed over', function () {
  this.timeout(150_000);
  const workshop = useWorkshop();
  let cluster: Cluster;

  before(async function () {
    this.timeout(120_000);
    cluster = await workshop.started(3);
  });

  it('/members/{id}/transfer makes a node the leader, whoever is asked, while clients write', async () => {
    let isOver = false;
    const written: string[] = [];
    const write = async (): Promise<void> => {
      while (!isOver) {
        const key = `load${written.length}`;
        await cluster.node(2).set(key, 'v');
        written.push(key);
      }
    };
    const writing = write();
    for (const id of ['node1', 'node2', 'node3', 'node1']) {
      await cluster.node(3).change(`/members/${id}/transfer`, { timeout: 10 });
      const leader = (await cluster.node(3).json<Member[]>('/members')).find(
        ({ role }) => role === 'leader',
      );
      expect(leader?.id).to.equal(id);
      const before = written.length;
      await waitFor('clients write on', () => Promise.resolve(written.length > before + 2));
    }
    isOver = true;
    await writing;
    for (const key of written) expect(await cluster.node(1).get(key)).to.equal('v');
  });

  it('/members/{id}/transfer to an id that no member has is refused', async () => {
    const { status, text } = await cluster.node(1).ask('/members/nobody/transfer');
    expect([status, text.includes('nobody')]).to.deep.equal([404, true]);
  });
});
