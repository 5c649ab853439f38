import { expect } from 'chai';
import type { MemberRole, PeerView, RaftMessage } from '../../../src/raft/index.ts';
import { votersOf } from '../../../src/raft/index.ts';
import { asNodeId } from '../../../src/shared/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, member, peer } from '../../support/raft-fixtures.ts';
import type { RaftNode } from '../../support/raft-node.ts';

const three = configurationOf('a b c');

function clusterOf(configuration = three, nodes = 'a b c d'): [RaftCluster, RaftNode] {
  const cluster = new RaftCluster({ configuration, nodes });
  const leader = cluster.elect('a');
  cluster.run(100);
  return [cluster, leader];
}

const roleOf = (node: RaftNode, id: PeerId): MemberRole | undefined =>
  node.view.configuration.configuration.members.find(
    (each) => peer(`${each.nodeId}${each.incarnation}`) === id,
  )?.role;

const progressOf = (leader: RaftNode, name: string): PeerView => {
  const view = leader.view.peers.find((each) => each.peer === peer(name));
  if (!view) throw new Error(`${name} must be followed`);
  return view;
};

const voters = (node: RaftNode): readonly PeerId[] =>
  votersOf(node.view.configuration.configuration);

/** The reply may come later: see `replyTo`. */
function removeSafely(cluster: RaftCluster, leader: RaftNode, name: string): number {
  const tag = cluster.nextTag++;
  const change = { kind: 'remove', nodeId: asNodeId(name), safely: true } as const;
  leader.step({ kind: 'changeMembers', tag, changes: [change] });
  return tag;
}

describe('RaftCore membership changes (thesis 4)', () => {
  it('RaftCore brings a new member in as learner and promotes it when it keeps up (4.2.1)', () => {
    const [cluster, leader] = clusterOf();
    for (let i = 0; i < 20; i++) cluster.propose(leader, `${i}`);
    const reply = cluster.change(leader, { kind: 'add', member: member('d', 'learner') });
    expect(reply.kind).to.equal('appended');
    expect(roleOf(leader, peer('d'))).to.equal('learner');
    cluster.runUntil(() => roleOf(leader, peer('d')) === 'voter', 1_000);
    cluster.run(100);
    expect(cluster.node('d').view).to.deep.include({ commitIndex: leader.view.lastIndex });
    expect(voters(cluster.node('d'))).to.have.length(4);
  });

  it('RaftCore promotes no learner that cannot keep up', () => {
    const [cluster, leader] = clusterOf();
    cluster.change(leader, { kind: 'add', member: member('d', 'learner') });
    // Every answer to an append arrives later than an election timeout, round after round.
    let late: RaftMessage[] = [];
    cluster.loses = (message) => {
      const isAnswer = message.from === peer('d') && message.kind === 'appendResponse';
      if (isAnswer) late.push(message);
      return isAnswer;
    };
    for (let round = 0; round < 8; round++) {
      const answers = late;
      late = [];
      cluster.propose(leader, 'one', 'two', 'three');
      cluster.run(300);
      for (const answer of answers) leader.receive(answer);
    }
    const { matchIndex } = progressOf(leader, 'd');
    expect(matchIndex).to.be.greaterThan(leader.view.configuration.index);
    expect(roleOf(leader, peer('d'))).to.equal('learner');
    cluster.heal();
    cluster.runUntil(() => roleOf(leader, peer('d')) === 'voter', 1_500);
  });

  it('RaftCore promotes a learner though something new is written all the time (redisraft #125)', () => {
    const [cluster, leader] = clusterOf();
    for (let i = 0; i < 200; i++) cluster.propose(leader, `${i}`);
    cluster.run(50);
    cluster.change(leader, { kind: 'add', member: member('d', 'learner') });
    // What d acknowledges is never the end of the log.
    let late: RaftMessage[] = [];
    cluster.loses = (message) => {
      const isAnswer = message.from === peer('d') && message.kind === 'appendResponse';
      if (isAnswer) late.push(message);
      return isAnswer;
    };
    for (let i = 0; i < 60 && roleOf(leader, peer('d')) !== 'voter'; i++) {
      cluster.propose(leader, 'more');
      const answers = late;
      late = [];
      cluster.run(20);
      for (const answer of answers) leader.receive(answer);
      expect(progressOf(leader, 'd').matchIndex).to.be.lessThan(leader.view.lastIndex);
    }
    expect(roleOf(leader, peer('d'))).to.equal('voter');
  });

  it('RaftCore promotes a learner that caught up slowly, though nothing is written any more', () => {
    const [cluster, leader] = clusterOf();
    cluster.change(leader, { kind: 'add', member: member('d', 'learner') });
    cluster.isolate('d');
    cluster.run(1_000);
    cluster.heal();
    cluster.runUntil(() => roleOf(leader, peer('d')) === 'voter', 1_000);
  });

  it('RaftCore never promotes a learner that was never heard, nor an observer', () => {
    const [cluster, leader] = clusterOf(three, 'a b c d e');
    cluster.change(leader, { kind: 'add', member: member('d', 'observer') });
    cluster.run(100);
    cluster.isolate('e');
    cluster.change(leader, { kind: 'add', member: member('e', 'learner') });
    cluster.run(2_000);
    expect(roleOf(leader, peer('d'))).to.equal('observer');
    expect(roleOf(leader, peer('e'))).to.equal('learner');
    expect(cluster.node('d').view.commitIndex).to.equal(leader.view.commitIndex);
  });

  it('RaftCore changes one thing at a time', () => {
    const [cluster, leader] = clusterOf(three, 'a b c d e');
    expect(cluster.change(leader, { kind: 'add', member: member('d', 'observer') }).kind).to.equal(
      'appended',
    );
    expect(
      cluster.change(leader, { kind: 'add', member: member('e', 'observer') }),
    ).to.deep.include({
      reason: 'busy',
    });
    cluster.run(50);
    expect(cluster.change(leader, { kind: 'add', member: member('e', 'observer') }).kind).to.equal(
      'appended',
    );
  });

  it('RaftCore changes nothing before its own no-op is committed (raft-dev 2015)', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    cluster.loses = ({ kind }) => kind === 'appendResponse';
    cluster.runUntil(() => cluster.leaders.length === 1);
    const reply = cluster.change(cluster.leader, { kind: 'remove', nodeId: asNodeId('c') });
    expect(reply).to.deep.include({ kind: 'refused', reason: 'busy' });
  });

  it('RaftCore refuses what makes no sense, and everything as follower', () => {
    const [cluster, leader] = clusterOf();
    const unknown = cluster.change(leader, { kind: 'remove', nodeId: asNodeId('z') });
    expect(unknown).to.deep.include({ kind: 'refused', reason: 'invalid' });
    const itself = { kind: 'add', member: member('a2', 'learner') } as const;
    expect(cluster.change(leader, itself)).to.deep.include({ reason: 'invalid' });
    const elsewhere = cluster.change(cluster.node('b'), itself);
    expect(elsewhere).to.deep.include({ reason: 'notLeader', leader: peer('a') });
  });

  it('RaftCore counts by the new configuration from its append on', () => {
    const [cluster, leader] = clusterOf();
    cluster.isolate('c');
    cluster.node('b').crash();
    // Two of three are away: nothing commits, and so neither does the removal of one of them.
    cluster.change(leader, { kind: 'remove', nodeId: asNodeId('c') });
    cluster.run(100);
    expect(leader.view.commitIndex).to.be.lessThan(leader.view.configuration.index);
    cluster.node('b').restart();
    cluster.run(200);
    expect(leader.view.commitIndex).to.be.at.least(leader.view.configuration.index);
    expect(voters(leader)).to.deep.equal([peer('a'), peer('b')]);
  });

  it('RaftCore removes a voter safely once a majority of the others has answered', () => {
    const [cluster, leader] = clusterOf();
    const tag = removeSafely(cluster, leader, 'c');
    expect(cluster.replyTo(leader, tag)).to.equal(undefined);
    expect(voters(leader)).to.have.length(3);
    cluster.deliver();
    expect(cluster.replyTo(leader, tag)).to.deep.include({ kind: 'appended' });
    expect(voters(leader)).to.deep.equal([peer('a'), peer('b')]);
  });

  it('RaftCore removes no voter safely whose rest was alive a moment ago only', () => {
    const [cluster, leader] = clusterOf();
    cluster.deliver();
    // The answer to what was sent before is still on its way when c dies and the request comes.
    cluster.tick(50);
    const answers: RaftMessage[] = [];
    cluster.loses = (message) => {
      if (message.from === peer('c')) answers.push(message);
      return message.from === peer('c');
    };
    cluster.deliver();
    cluster.node('c').crash();
    const tag = removeSafely(cluster, leader, 'b');
    expect(answers).to.not.have.length(0);
    for (const answer of answers) leader.receive(answer);
    cluster.run(490);
    expect(cluster.replyTo(leader, tag)).to.equal(undefined);
    cluster.run(20);
    expect(cluster.replyTo(leader, tag)).to.deep.include({
      kind: 'refused',
      reason: 'unreachable',
    });
    expect(voters(leader)).to.have.length(3);
    const dead = removeSafely(cluster, leader, 'c');
    cluster.deliver();
    expect(cluster.replyTo(leader, dead)).to.deep.include({ kind: 'appended' });
  });

  it('RaftCore that is to leave safely does not count itself among those that stay', () => {
    const [cluster, leader] = clusterOf(configurationOf('a b'), 'a b');
    const tag = removeSafely(cluster, leader, 'a');
    expect(cluster.replyTo(leader, tag)).to.equal(undefined);
    cluster.run(100);
    expect(cluster.replyTo(leader, tag)).to.deep.include({ kind: 'appended' });
    const [, alone] = clusterOf(configurationOf('a b'), 'a b');
    const last = removeSafely(cluster, alone, 'b');
    expect(cluster.replyTo(alone, last)).to.deep.include({ kind: 'appended' });
  });

  it('RaftCore changes nothing else while a safe removal waits, and drops it with its office', () => {
    const [cluster, leader] = clusterOf();
    cluster.isolate('a');
    const tag = removeSafely(cluster, leader, 'b');
    const more = { kind: 'add', member: member('d', 'learner') } as const;
    expect(cluster.change(leader, more)).to.deep.include({ reason: 'busy' });
    cluster.run(400);
    expect(leader.view.role).to.not.equal('leader');
    expect(cluster.replyTo(leader, tag)).to.deep.include({ kind: 'refused', reason: 'notLeader' });
    expect(voters(leader)).to.have.length(3);
  });

  it('RaftCore that removes itself leads until that is committed, then hands over (4.2.2)', () => {
    const [cluster, leader] = clusterOf();
    cluster.loses = ({ kind, to }) => kind === 'appendRequest' && to !== peer('a');
    cluster.change(leader, { kind: 'remove', nodeId: asNodeId('a') });
    cluster.run(60);
    expect(leader.view.role).to.equal('leader');
    cluster.heal();
    cluster.run(150);
    expect(leader.view.role).to.equal('follower');
    expect(cluster.leaders).to.have.length(1);
    expect(voters(cluster.leader)).to.deep.equal([peer('b'), peer('c')]);
    const { term } = cluster.leader.view;
    cluster.run(3_000);
    expect(cluster.leader.view.term).to.equal(term);
  });

  it('RaftCore still stands for election when only its own log removes it, uncommitted', () => {
    const two = configurationOf('a b');
    const [cluster, leader] = clusterOf(two, 'a b');
    cluster.loses = ({ kind }) => kind === 'appendRequest';
    cluster.change(leader, { kind: 'remove', nodeId: asNodeId('a') });
    cluster.deliver();
    leader.crash();
    leader.restart();
    cluster.heal();
    // b cannot win: its log is shorter than that of a, and its configuration needs a's vote.
    cluster.runUntil(() => cluster.node('b').view.role === 'leader', 3_000);
    cluster.run(500);
    expect(voters(cluster.leader)).to.deep.equal([peer('b')]);
    expect(cluster.leader.id).to.equal(peer('b'));
  });

  it('RaftCore replaces a wiped node by its new incarnation, learner first', () => {
    const [cluster, leader] = clusterOf(three, 'a b c c2');
    cluster.node('c').crash();
    const wiped = { kind: 'add', member: member('c2', 'learner', 'c') } as const;
    expect(cluster.change(leader, wiped).kind).to.equal('appended');
    expect(voters(leader)).to.deep.equal([peer('a'), peer('b')]);
    cluster.runUntil(() => roleOf(leader, peer('c2')) === 'voter', 1_000);
    const old = { kind: 'add', member: member('c', 'learner') } as const;
    cluster.run(50);
    expect(cluster.change(leader, old)).to.deep.include({ kind: 'refused', reason: 'invalid' });
  });

  it('RaftCore that was promoted but has not heard of it votes all the same (etcd #10998)', () => {
    const [cluster, leader] = clusterOf(configurationOf('a b', 'c'), 'a b c');
    cluster.runUntil(() => roleOf(leader, peer('c')) === 'voter', 1_000);
    cluster.run(100);
    const unaware = cluster.node('c');
    unaware.crash();
    // Its disk ends before the joint entry: it is a learner as far as it knows.
    const position = unaware.disk.entries.findIndex(({ kind }) => kind === 'configuration');
    unaware.disk.entries.length = position;
    unaware.restart();
    expect(roleOf(unaware, peer('c'))).to.equal('learner');
    leader.crash();
    cluster.runUntil(() => cluster.node('b').view.role === 'leader', 3_000);
  });

  it('RaftCore rolls a change back that its next leader does not have', () => {
    const [cluster, leader] = clusterOf();
    cluster.isolate('a');
    cluster.change(leader, { kind: 'remove', nodeId: asNodeId('b') });
    expect(voters(leader)).to.have.length(2);
    cluster.run(1_500);
    cluster.propose(cluster.leader, 'instead');
    cluster.run(100);
    cluster.heal();
    cluster.run(500);
    expect(voters(leader)).to.have.length(3);
    expect(leader.view.configuration.index).to.equal(0);
  });

  it('RaftCore grows from one voter to three by itself', () => {
    const cluster = new RaftCluster({ configuration: configurationOf('a'), nodes: 'a b c' });
    const leader = cluster.elect('a');
    for (const name of ['b', 'c']) {
      cluster.runUntil(
        () =>
          cluster.change(leader, { kind: 'add', member: member(name, 'learner') }).kind ===
          'appended',
      );
      cluster.runUntil(() => roleOf(leader, peer(name)) === 'voter', 2_000);
    }
    cluster.run(100);
    leader.crash();
    cluster.runUntil(() => cluster.leaders.length === 1, 3_000);
    expect(voters(cluster.leader)).to.have.length(3);
  });
});
