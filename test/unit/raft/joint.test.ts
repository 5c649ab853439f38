import { expect } from 'chai';
import type { Configuration, MemberChange, RaftInit, Reply } from '../../../src/raft/index.ts';
import { RaftCore, votersOf } from '../../../src/raft/index.ts';
import { asIndex, asNodeId, seededRandom } from '../../../src/shared/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { decodeConfiguration } from '../../../src/wire/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, initOf, member, peer } from '../../support/raft-fixtures.ts';
import type { RaftNode } from '../../support/raft-node.ts';

const remove = (name: string): MemberChange => ({ kind: 'remove', nodeId: asNodeId(name) });
const promote = (name: string): MemberChange => ({ kind: 'promote', nodeId: asNodeId(name) });
const peersOf = (names: string): PeerId[] => names.split(' ').map(peer);

function clusterOf(
  configuration = configurationOf('a b c', '', 'd e f'),
  nodes = 'a b c d e f',
): [RaftCluster, RaftNode] {
  const cluster = new RaftCluster({ configuration, nodes });
  const leader = cluster.elect('a');
  cluster.run(100);
  return [cluster, leader];
}

/** The configurations in a node's log, oldest first. */
const changesOf = (node: RaftNode): Configuration[] =>
  node.memory
    .filter(({ kind }) => kind === 'configuration')
    .map(({ payload }) => decodeConfiguration(payload));

const inForce = (node: RaftNode): Configuration => node.view.configuration.configuration;
const isJoint = (node: RaftNode): boolean => inForce(node).outgoingVoters.length > 0;
const isSettled = (node: RaftNode): boolean =>
  !isJoint(node) && node.view.configuration.index <= node.view.commitIndex;

function refusal(reply: Reply): string {
  return reply.kind === 'refused' ? `${reply.reason}: ${reply.message}` : reply.kind;
}

/** Everything that carries a configuration beyond the first to others is lost. */
const losesChanges = (cluster: RaftCluster): void => {
  cluster.loses = (message) =>
    message.kind === 'appendRequest' &&
    message.entries.some(({ kind }) => kind === 'configuration');
};

describe('RaftCore joint changes (thesis 4.3)', () => {
  it('RaftCore replaces all voters at once, the leader among them, by two entries', () => {
    const [cluster, leader] = clusterOf();
    const changes = ['d', 'e', 'f'].map(promote).concat(['a', 'b', 'c'].map(remove));
    const { index } = leader.view.configuration;
    expect(cluster.change(leader, ...changes)).to.deep.include({ kind: 'appended' });
    expect(inForce(leader).outgoingVoters).to.deep.equal(peersOf('a b c'));
    expect(votersOf(inForce(leader))).to.deep.equal(peersOf('d e f'));
    expect(inForce(leader).leaving?.map(({ nodeId }) => nodeId)).to.deep.equal(['a', 'b', 'c']);
    cluster.run(200);
    expect(leader.view.role).to.equal('follower');
    expect(peersOf('d e f')).to.include(cluster.leader.id);
    const [joint, last] = changesOf(cluster.leader);
    expect(joint?.outgoingVoters).to.have.length(3);
    expect(last).to.deep.include({ outgoingVoters: [], removed: peersOf('a b c') });
    expect(last).to.not.have.property('leaving');
    expect(index).to.equal(0);
    for (const name of ['a', 'b', 'c']) cluster.node(name).crash();
    cluster.propose(cluster.leader, 'without them');
    cluster.run(100);
    expect(cluster.leader.view.commitIndex).to.equal(cluster.leader.view.lastIndex);
  });

  for (const [side, away] of Object.entries({ old: 'b c', new: 'd e' })) {
    it(`RaftCore commits no joint change without a majority of the ${side} voters`, () => {
      const [cluster, leader] = clusterOf();
      cluster.isolate(...away.split(' '));
      cluster.change(leader, promote('d'), promote('e'), promote('f'), remove('b'), remove('c'));
      cluster.run(100);
      expect(leader.view.commitIndex).to.be.lessThan(leader.view.configuration.index);
      expect(changesOf(leader)).to.have.length(1);
      cluster.heal();
      cluster.runUntil(() => isSettled(leader), 500);
      expect(votersOf(inForce(leader))).to.deep.equal(peersOf('a d e f'));
    });
  }

  it('RaftCore needs both majorities to be elected, and to go on leading', () => {
    const [cluster, leader] = clusterOf();
    cluster.loses = (message) => message.kind === 'appendResponse';
    cluster.change(leader, promote('d'), promote('e'), promote('f'), remove('b'), remove('c'));
    cluster.deliver();
    expect(isJoint(cluster.node('d'))).to.equal(true);
    cluster.split('a d e f', 'b c');
    cluster.run(3_000);
    expect(cluster.leaders).to.have.length(0);
    // All new voters are there, and so are two of three old ones: it goes on.
    cluster.split('a b d e f', 'c');
    cluster.runUntil(() => cluster.leaders.length === 1 && isSettled(cluster.leader), 3_000);
  });

  it('RaftCore needs both majorities while a configuration is joint (4.3)', () => {
    const configuration = {
      ...configurationOf('a b c'),
      outgoingVoters: [peer('a'), peer('d'), peer('e')],
    };
    const init: RaftInit = initOf('a', configuration);
    const core = new RaftCore(init, seededRandom(1));
    const pre = (from: string): void => {
      const answer = { kind: 'voteResponse', to: peer('a'), granted: true, preVote: true } as const;
      core.step({ kind: 'message', message: { ...answer, from: peer(from), term: 1 as never } });
    };
    while (core.view.role === 'follower') core.step({ kind: 'tick', elapsedMs: 10 });
    pre('b');
    expect(core.view.role).to.equal('preCandidate');
    pre('d');
    expect(core.view.role).to.equal('candidate');
    expect(asIndex(0)).to.equal(core.view.commitIndex);
  });

  it('RaftCore touches no voters with one entry: learners, observers, addresses', () => {
    const [cluster, leader] = clusterOf(configurationOf('a b c'));
    const moved = { ...member('b', 'voter', 'elsewhere'), zone: 'far' };
    const reply = cluster.change(
      leader,
      { kind: 'add', member: member('d', 'observer') },
      { kind: 'add', member: member('e', 'observer') },
      { kind: 'update', member: moved },
    );
    expect(reply.kind).to.equal('appended');
    expect(isJoint(leader)).to.equal(false);
    cluster.run(100);
    expect(changesOf(leader)).to.have.length(1);
    expect(inForce(cluster.node('e')).members).to.deep.include(moved);
  });

  it('RaftCore promotes all learners that keep up by one joint change (4.2.1)', () => {
    const [cluster, leader] = clusterOf(configurationOf('a', 'b c'), 'a b c');
    cluster.runUntil(() => votersOf(inForce(leader)).length === 3 && isSettled(leader), 2_000);
    const [joint, last] = changesOf(leader).slice(-2);
    expect(joint?.outgoingVoters.length).to.be.at.least(1);
    expect(last?.outgoingVoters).to.deep.equal([]);
    expect(changesOf(leader).length % 2).to.equal(0);
  });

  it('RaftCore promotes on request only who is a member and keeps up', () => {
    const [cluster, leader] = clusterOf();
    expect(refusal(cluster.change(leader, promote('z')))).to.match(/^invalid: .*no member/);
    expect(refusal(cluster.change(leader, promote('b')))).to.match(/^invalid: .*it is one/);
    cluster.isolate('d');
    cluster.run(300);
    expect(refusal(cluster.change(leader, promote('d')))).to.match(/^invalid: .*not keep up/);
    cluster.heal();
    cluster.run(300);
    expect(cluster.change(leader, promote('d')).kind).to.equal('appended');
  });

  it('RaftCore makes no change but of the configuration that was expected', () => {
    const [cluster, leader] = clusterOf();
    const ask = (expectedIndex: number): string => {
      const tag = cluster.nextTag++;
      leader.step({
        ...{ kind: 'changeMembers', tag, changes: [remove('d')] },
        expectedIndex: asIndex(expectedIndex),
      });
      return refusal(cluster.replyTo(leader, tag) as Reply);
    };
    expect(ask(7)).to.match(/^invalid: Cannot change the configuration at 7: it is at 0/);
    expect(ask(0)).to.equal('appended');
  });

  it('RaftCore refuses no change at all, one half of which makes no sense, and one voter too few', () => {
    const [cluster, leader] = clusterOf();
    expect(refusal(cluster.change(leader))).to.match(/^invalid: .*no change/);
    expect(refusal(cluster.change(leader, remove('d'), remove('z')))).to.match(/^invalid/);
    const all = ['a', 'b', 'c'].map(remove);
    expect(refusal(cluster.change(leader, ...all))).to.match(/^invalid: .*last voter/);
    const again = { kind: 'add', member: member('a2', 'learner') } as const;
    expect(refusal(cluster.change(leader, remove('a'), again))).to.match(/^invalid: .*it lives/);
    expect(leader.view.configuration.index).to.equal(0);
  });

  it('RaftCore begins nothing else until the joint change is over', () => {
    const [cluster, leader] = clusterOf();
    losesChanges(cluster);
    cluster.change(leader, remove('c'));
    const other = { kind: 'add', member: member('g', 'learner') } as const;
    expect(cluster.change(leader, other)).to.deep.include({ reason: 'busy' });
    cluster.heal();
    // The joint entry is committed and left; the entry that leaves it is not committed yet.
    cluster.runUntil(() => leader.view.commitIndex >= 2);
    cluster.loses = ({ kind }) => kind === 'appendResponse';
    expect(cluster.change(leader, remove('d'))).to.satisfy(
      (reply: Reply) => reply.kind === 'appended' || refusal(reply).startsWith('busy'),
    );
  });

  it('RaftCore leaves no joint configuration that is not committed (camunda #60086)', () => {
    const [cluster, leader] = clusterOf();
    losesChanges(cluster);
    cluster.change(leader, remove('c'), promote('d'));
    cluster.run(20);
    leader.crash();
    leader.restart();
    expect(isJoint(leader)).to.equal(true);
    const { index } = leader.view.configuration;
    // It leads again, its log being the longest, and its new entries reach nobody.
    cluster.loses = ({ kind }) => kind === 'appendRequest';
    cluster.runUntil(() => leader.view.role === 'leader', 5_000);
    cluster.run(100);
    expect(leader.view.configuration.index).to.equal(index);
    cluster.heal();
    cluster.runUntil(() => isSettled(leader), 1_000);
    expect(votersOf(inForce(leader))).to.deep.equal(peersOf('a b d'));
  });

  it('RaftCore that finds a committed joint configuration leaves it, whoever began it', () => {
    const [cluster, leader] = clusterOf();
    // The entry that leaves it reaches nobody.
    cluster.onOutput = (node, output) => {
      const last = output.persist?.entries.at(-1);
      const isEnd = last?.kind === 'configuration' && !isJoint(node);
      if (isEnd && node === leader) cluster.isolate('a');
    };
    cluster.change(leader, remove('c'), promote('d'), promote('e'));
    cluster.run(100);
    leader.crash();
    cluster.onOutput = () => undefined;
    cluster.heal();
    cluster.runUntil(() => cluster.leaders.length === 1 && isSettled(cluster.leader), 5_000);
    expect(votersOf(inForce(cluster.leader))).to.deep.equal(peersOf('a b d e'));
    leader.restart();
    cluster.run(500);
    expect(isSettled(leader)).to.equal(true);
    expect(inForce(leader)).to.deep.equal(inForce(cluster.leader));
  });

  it('RaftCore rolls a joint change back that its next leader does not have', () => {
    const [cluster, leader] = clusterOf();
    cluster.isolate('a');
    cluster.change(leader, remove('b'), promote('d'));
    expect(isJoint(leader)).to.equal(true);
    cluster.run(1_500);
    cluster.propose(cluster.leader, 'instead');
    cluster.run(100);
    cluster.heal();
    cluster.run(500);
    expect(inForce(leader)).to.deep.equal(configurationOf('a b c', '', 'd e f'));
  });

  it('RaftCore hands over to no voter that leaves (hashicorp #398), and stays joint meanwhile', () => {
    const [cluster, leader] = clusterOf();
    losesChanges(cluster);
    cluster.change(leader, remove('c'));
    const refused = cluster.transfer(leader, 'c');
    expect(cluster.replyTo(leader, refused)).to.deep.include({ reason: 'invalid' });
    const tag = cluster.transfer(leader, 'b');
    cluster.loses = ({ kind }) => kind === 'timeoutNow';
    cluster.run(100);
    expect(leader.view.commitIndex).to.be.at.least(leader.view.configuration.index);
    expect(isJoint(leader)).to.equal(true);
    cluster.heal();
    cluster.runUntil(() => cluster.replyTo(leader, tag) !== undefined, 1_000);
    expect(cluster.replyTo(leader, tag)?.kind).to.equal('transferred');
    cluster.run(200);
    expect(cluster.leader.id).to.equal(peer('b'));
    expect(isSettled(cluster.leader)).to.equal(true);
  });

  it('RaftCore leaves a joint configuration also after a transfer that failed', () => {
    const [cluster, leader] = clusterOf();
    losesChanges(cluster);
    cluster.change(leader, remove('c'));
    const tag = cluster.transfer(leader, 'b');
    cluster.loses = ({ kind }) => kind === 'timeoutNow';
    cluster.run(600);
    expect(cluster.replyTo(leader, tag)).to.deep.include({ reason: 'abandoned' });
    cluster.run(100);
    expect(leader.view.role).to.equal('leader');
    expect(isSettled(leader)).to.equal(true);
  });

  it('RaftCore removes one of two voters only with that one, which the other cannot outvote', () => {
    const [cluster, leader] = clusterOf(configurationOf('a b'), 'a b');
    cluster.isolate('b');
    cluster.change(leader, remove('b'));
    cluster.run(3_000);
    expect(cluster.leaders).to.have.length(0);
    cluster.heal();
    cluster.run(2_000);
    expect(cluster.leaders).to.have.length(1);
  });
});

describe('RaftCore pre-votes in a joint configuration', () => {
  it('RaftCore gets out of two cohorts that refuse each other (openraft #1796)', () => {
    const joint = { ...configurationOf('a b c'), outgoingVoters: peersOf('a d e') };
    const cluster = new RaftCluster({
      configuration: joint,
      nodes: 'a b c d e',
      // One cohort has the longer log, the other the higher terms.
      terms: { a: [1, 1, 1], b: [1, 1, 1], d: [1, 1, 1], c: [1], e: [1] },
    });
    cluster.isolate('c', 'e');
    cluster.loses = ({ from, to }) => {
      const highs = peersOf('c e');
      return highs.includes(from) || highs.includes(to);
    };
    for (const name of ['c', 'e']) {
      const node = cluster.node(name);
      node.crash();
      node.disk.hardState = { ...node.disk.hardState, term: 9 as never };
      node.restart();
    }
    // d is away: the old voters need e, whose term is higher, and the new ones need b or c.
    cluster.node('d').crash();
    cluster.run(2_000);
    expect(cluster.leaders).to.have.length(0);
    cluster.heal();
    cluster.runUntil(() => cluster.leaders.length === 1, 5_000);
    expect(cluster.leader.view.term).to.be.greaterThan(9);
    cluster.run(500);
    expect(isSettled(cluster.leader)).to.equal(true);
    expect(votersOf(inForce(cluster.leader))).to.deep.equal(peersOf('a b c'));
  });
});
