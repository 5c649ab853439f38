import { expect } from 'chai';
import type { RaftNode } from '../support/raft-node.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { fiveVoters } from '../support/raft-roles.ts';

const names = 'abcde'.split('');

/** Leaders fall one after the other, one follower is always away, and commands keep coming. */
function stormOf(seed: number, watch: (cluster: RaftCluster) => void): RaftCluster {
  const cluster = new RaftCluster({ configuration: fiveVoters, nodes: 'a b c d e', seed });
  for (let round = 0; round < 12; round++) {
    cluster.isolate(names[(seed + round) % 5] ?? 'a');
    for (let step = 0; step < 40; step++) {
      cluster.run(20);
      for (const leader of cluster.leaders) cluster.propose(leader, `${round}.${step}`);
      if (step % 8 === 0) watch(cluster);
    }
    const [leader] = cluster.leaders;
    leader?.crash();
    cluster.run(100);
    leader?.restart();
  }
  cluster.heal();
  cluster.runUntil(() => cluster.leaders.length === 1, 5_000);
  cluster.run(1_000);
  watch(cluster);
  return cluster;
}

const idOf = (node: RaftNode, index: number): string => {
  const entry = node.entryAt(index);
  return entry ? `${entry.term} ${Buffer.from(entry.payload).toString()}` : '';
};

describe('Raft figure 3: properties', () => {
  it('election safety: no term ever has two leaders', () => {
    const leaderOfTerm = new Map<number, string>();
    stormOf(1, ({ leaders }) => {
      for (const { id, view } of leaders) {
        expect(leaderOfTerm.get(view.term) ?? id).to.equal(id);
        leaderOfTerm.set(view.term, id);
      }
    });
    expect(leaderOfTerm.size).to.be.greaterThan(5);
  });

  it('log matching: where index and term agree, all that comes before agrees', () => {
    let compared = 0;
    stormOf(2, ({ live }) => {
      for (const one of live) {
        for (const other of live) {
          const agreeing = one.memory.filter(
            ({ index, term }) => other.entryAt(index)?.term === term,
          );
          const last = agreeing.at(-1)?.index ?? 0;
          compared += last;
          const upTo = (node: RaftNode): string[] =>
            node.memory.slice(0, last).map(({ index }) => idOf(node, index));
          expect(upTo(one)).to.deep.equal(upTo(other));
        }
      }
    });
    expect(compared).to.be.greaterThan(1_000);
  });

  it('leader completeness: what was ever committed is in the log of every later leader', () => {
    const committed = new Map<number, { readonly id: string; readonly term: number }>();
    stormOf(3, ({ live, leaders }) => {
      for (const node of live) {
        for (let index = 1; index <= node.view.commitIndex; index++) {
          if (committed.has(index)) continue;
          committed.set(index, { id: idOf(node, index), term: node.view.term });
        }
      }
      for (const leader of leaders) {
        for (const [index, { id, term }] of committed) {
          if (leader.view.term > term && idOf(leader, index) !== id) {
            expect.fail(`Entry ${index} is lost: ${id}`);
          }
        }
      }
    });
    expect(committed.size).to.be.greaterThan(100);
  });

  it('state machine safety: no two nodes ever apply different entries at one index', () => {
    const applied = new Map<number, string>();
    stormOf(4, ({ live }) => {
      for (const node of live) {
        for (const entry of node.state) {
          if (!entry) continue;
          const id = `${entry.term} ${Buffer.from(entry.payload).toString()}`;
          if ((applied.get(entry.index) ?? id) !== id) expect.fail(`Entry ${entry.index} differs`);
          applied.set(entry.index, id);
        }
      }
    });
    expect(applied.size).to.be.greaterThan(100);
  });
});
