import { expect } from 'chai';
import { asNodeId, asTerm } from '../../../src/shared/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, initOf, peer } from '../../support/raft-fixtures.ts';
import type { RaftNode } from '../../support/raft-node.ts';

const three = configurationOf('a b c');
const five = configurationOf('a b c d e');

describe('RaftCore across partitions', () => {
  it('RaftCore that was cut off comes back in the same term and disturbs nobody (9.6)', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    const leader = cluster.elect('a');
    const { term } = leader.view;
    cluster.isolate('c');
    cluster.run(5_000);
    expect(cluster.node('c').view).to.deep.include({ role: 'preCandidate', term });
    cluster.propose(leader, 'meanwhile');
    cluster.heal();
    cluster.run(1_000);
    expect(cluster.leaders.map(({ id }) => id)).to.deep.equal([peer('a')]);
    expect(cluster.node('c').view).to.deep.include({ term, commitIndex: leader.view.lastIndex });
  });

  it('RaftCore leads no more than one election timeout when it is cut off from a quorum', () => {
    const cluster = new RaftCluster({ configuration: five, nodes: 'a b c d e' });
    const old = cluster.elect('a');
    cluster.split('a b', 'c d e');
    cluster.run(300);
    expect(old.view.role).to.not.equal('leader');
    cluster.runUntil(() => cluster.leaders.length === 1);
    expect([peer('c'), peer('d'), peer('e')]).to.include(cluster.leader.id);
    cluster.heal();
    cluster.run(1_000);
    expect(cluster.leaders).to.have.length(1);
  });

  it('RaftCore frees a node that alone has a higher term', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    cluster.elect('a');
    const stuck = cluster.node('c');
    stuck.crash();
    stuck.disk.hardState = { term: asTerm(50), vote: stuck.id };
    stuck.restart();
    cluster.runUntil(() => cluster.leaders.length === 1 && cluster.leader.view.term > 50, 3_000);
    cluster.propose(cluster.leader, 'go on');
    cluster.run(500);
    expect(stuck.view.commitIndex).to.equal(cluster.leader.view.lastIndex);
  });

  it('RaftCore elects when one cohort has the term and the other the log (etcd #8501)', () => {
    const init = initOf('a', three);
    const cluster = new RaftCluster({
      configuration: three,
      nodes: 'a b c',
      terms: { a: [1, 1, 1], b: [1], c: [1] },
    });
    expect(init.self).to.equal(peer('a'));
    const newer = cluster.node('b');
    newer.crash();
    newer.disk.hardState = { term: asTerm(9), vote: null };
    newer.restart();
    cluster.node('c').crash();
    cluster.runUntil(() => cluster.leaders.length === 1, 5_000);
    expect(cluster.leader.id).to.equal(peer('a'));
    expect(cluster.leader.view.term).to.be.greaterThan(9);
  });

  for (const names of ['a b c', 'a b c d e']) {
    it(`RaftCore of ${names} stays in office when one follower cannot hear it (non-transitive)`, () => {
      const cluster = new RaftCluster({ configuration: configurationOf(names), nodes: names });
      const leader = cluster.elect('a');
      const { term } = leader.view;
      const cut = new Set([peer('a'), peer('b')]);
      cluster.loses = ({ from, to }) => cut.has(from) && cut.has(to);
      cluster.run(6_000);
      expect(cluster.leaders.map(({ id }) => id)).to.deep.equal([peer('a')]);
      expect(Math.max(...cluster.live.map(({ view }) => view.term))).to.be.at.most(term + 1);
    });
  }

  it('RaftCore that hears nobody but is heard by all gives way', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    cluster.elect('a');
    cluster.loses = ({ to }) => to === peer('a');
    cluster.runUntil(() => cluster.leaders.some(({ id }) => id !== peer('a')), 3_000);
    expect(cluster.node('a').view.role).to.not.equal('leader');
  });

  it('RaftCore that was removed while away raises no term when it returns', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    const leader = cluster.elect('a');
    const { term } = leader.view;
    cluster.isolate('c');
    cluster.run(1_000);
    expect(cluster.change(leader, { kind: 'remove', nodeId: asNodeId('c') }).kind).to.equal(
      'appended',
    );
    cluster.run(500);
    const removed = cluster.node('c');
    removed.crash();
    removed.disk.hardState = { term: asTerm(70), vote: removed.id };
    removed.restart();
    cluster.heal();
    cluster.run(5_000);
    expect(leader.view).to.deep.include({ role: 'leader', term });
    expect(cluster.node('b').view.term).to.equal(term);
  });

  it('RaftCore elects after every single crash of its leader, in turn', () => {
    const cluster = new RaftCluster({ configuration: five, nodes: 'a b c d e' });
    let last: RaftNode | null = null;
    for (let round = 0; round < 8; round++) {
      cluster.runUntil(
        () => cluster.leaders.length === 1 && cluster.leader.view.leaderReady,
        3_000,
      );
      const { leader } = cluster;
      cluster.propose(leader, `round ${round}`);
      cluster.run(100);
      last?.restart();
      leader.crash();
      last = leader;
    }
    last?.restart();
    cluster.run(2_000);
    const commits = cluster.live.map(({ view }) => view.commitIndex);
    expect(new Set(commits).size).to.equal(1);
    const texts = cluster.leader.state.filter((entry) => entry?.kind === 'command');
    expect(texts).to.have.length(8);
  });
});
