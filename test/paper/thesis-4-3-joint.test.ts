import { expect } from 'chai';
import type { Configuration, MemberChange } from '../../src/raft/index.ts';
import { votersOf } from '../../src/raft/index.ts';
import { asNodeId } from '../../src/shared/index.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { configurationOf, peer } from '../support/raft-fixtures.ts';
import type { RaftNode } from '../support/raft-node.ts';

const remove = (name: string): MemberChange => ({ kind: 'remove', nodeId: asNodeId(name) });
const promote = (name: string): MemberChange => ({ kind: 'promote', nodeId: asNodeId(name) });
const inForce = ({ view }: RaftNode): Configuration => view.configuration.configuration;

function clusterOf(nodes: string, configuration: Configuration): [RaftCluster, RaftNode] {
  const cluster = new RaftCluster({ configuration, nodes });
  const leader = cluster.elect('a');
  cluster.run(100);
  return [cluster, leader];
}

describe('Thesis 4.3: joint consensus', () => {
  const swap = [remove('b'), remove('c'), promote('d')];
  const jointly = (): [RaftCluster, RaftNode] =>
    clusterOf('a b c d e', configurationOf('a b c', '', 'd e'));

  /** On the way from a, b, c to a, d, e: a died, and the others hold the joint entry as the last. */
  function orphansInJoint(isCommitted: boolean): RaftCluster {
    const [cluster, leader] = jointly();
    // Nothing is appended during a transfer: so others than a may know that the entry is committed.
    cluster.loses = ({ kind }) =>
      kind === 'timeoutNow' || (kind === 'appendResponse' && !isCommitted);
    cluster.change(leader, ...swap, promote('e'));
    cluster.transfer(leader, 'e');
    cluster.run(100);
    leader.crash();
    for (const { view } of cluster.live) {
      expect(view.configuration.index).to.equal(view.lastIndex);
      expect(view.commitIndex === view.lastIndex).to.equal(isCommitted);
    }
    return cluster;
  }

  it('a change of several voters begins with one entry that holds both sets', () => {
    const [cluster, leader] = jointly();
    expect(cluster.change(leader, ...swap)).to.deep.include({ kind: 'appended' });
    expect(inForce(leader).outgoingVoters).to.deep.equal(['a', 'b', 'c'].map(peer));
    expect(votersOf(inForce(leader))).to.deep.equal([peer('a'), peer('d')]);
  });

  it('entries go to all servers of both sets', () => {
    const [cluster, leader] = jointly();
    cluster.change(leader, ...swap);
    const receivers = cluster.network.filter(({ kind }) => kind === 'appendRequest');
    expect(new Set(receivers.map(({ to }) => to))).to.deep.equal(
      new Set(['b', 'c', 'd', 'e'].map(peer)),
    );
  });

  for (const [away, what] of [
    ['d', 'the new set has no majority'],
    ['b c', 'the old set has none'],
  ] as const) {
    it(`nothing is committed while ${what}`, () => {
      const [cluster, leader] = jointly();
      cluster.isolate(...away.split(' '));
      const { commitIndex } = leader.view;
      cluster.change(leader, ...swap);
      cluster.run(200);
      expect(leader.view.commitIndex).to.equal(commitIndex);
      expect(inForce(leader).outgoingVoters).to.have.length(3);
    });
  }

  for (const [heirName, set] of [
    ['b', 'old'],
    ['d', 'new'],
  ] as const) {
    for (const isCommitted of [true, false]) {
      const known = isCommitted ? 'is known as committed' : 'is not committed';
      it(`a server only in the ${set} set may lead when the joint entry ${known}`, () => {
        const cluster = orphansInJoint(isCommitted);
        const heir = cluster.node(heirName);
        cluster.loses = ({ kind, from }) =>
          kind === 'appendRequest' || (kind === 'voteRequest' && from !== heir.id);
        cluster.runUntil(() => heir.view.role === 'leader', 5_000);
        expect(inForce(heir).outgoingVoters).to.have.length(3);
        const { term } = heir.view;
        cluster.heal();
        cluster.run(300);
        expect(votersOf(inForce(heir))).to.deep.equal(['a', 'd', 'e'].map(peer));
        const { index } = heir.view.configuration;
        expect(heir.entryAt(index), 'it ended the change itself').to.deep.include({ term });
      });
    }
  }

  it('the new set alone decides once the joint entry is committed and the last one appended', () => {
    const [cluster, leader] = jointly();
    cluster.change(leader, ...swap);
    cluster.runUntil(() => inForce(leader).outgoingVoters.length === 0, 1_000);
    for (const name of ['b', 'c']) cluster.node(name).crash();
    cluster.propose(leader, 'x');
    cluster.run(100);
    expect(leader.view.commitIndex).to.equal(leader.view.lastIndex);
  });

  it('it is left only when it is committed: no leader appends the last entry before', () => {
    const [cluster, leader] = jointly();
    cluster.loses = ({ kind, to }) => kind === 'appendResponse' && to === peer('a');
    cluster.change(leader, ...swap);
    cluster.run(200);
    expect(leader.view.configuration.index).to.equal(leader.view.lastIndex);
    expect(inForce(leader).outgoingVoters).to.have.length(3);
  });

  it('a leader outside of the new set steps down when the last entry is committed', () => {
    const [cluster, leader] = clusterOf('a b c d', configurationOf('a b c', '', 'd'));
    cluster.change(leader, remove('a'), promote('d'));
    cluster.run(500);
    expect(leader.view.role).to.equal('follower');
    expect(votersOf(inForce(cluster.leader))).to.deep.equal(['b', 'c', 'd'].map(peer));
    expect(['b', 'c', 'd'].map(peer)).to.include(cluster.leader.id);
  });
});
