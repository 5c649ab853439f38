import { expect } from 'chai';
import type { Reply } from '../../../src/raft/index.ts';
import { RaftCore } from '../../../src/raft/index.ts';
import { asNodeId, seededRandom } from '../../../src/shared/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import {
  configurationOf,
  initOf,
  member,
  peer,
  testSettings,
} from '../../support/raft-fixtures.ts';
import { messagesOf, receive, voteRequest } from '../../support/raft-messages.ts';
import type { RaftNode } from '../../support/raft-node.ts';

const three = configurationOf('a b c');
const { electionTimeoutMsMin, heartbeatMs } = testSettings;
/** 10 % for clocks that drift, and what a voter's timer may run ahead. */
const leaseMs = electionTimeoutMsMin * 0.9 - 2 * heartbeatMs;

function clusterOf(leaseReads = true, configuration = three): [RaftCluster, RaftNode] {
  const cluster = new RaftCluster({
    configuration,
    nodes: 'a b c d',
    settings: { leaseReads },
  });
  cluster.run(electionTimeoutMsMin);
  const leader = cluster.elect('a');
  cluster.run(200);
  return [cluster, leader];
}

/** What a read by lease gets at once. */
function readNow(cluster: RaftCluster, leader: RaftNode): Reply | undefined {
  return cluster.replyTo(leader, cluster.readByLease(leader));
}

describe('RaftCore lease reads (thesis 6.4.1)', () => {
  it('RaftCore answers at once while a quorum confirmed a round not long ago', () => {
    const [cluster, leader] = clusterOf();
    cluster.propose(leader, 'x');
    cluster.deliver();
    const reply = readNow(cluster, leader);
    expect(reply).to.deep.include({ kind: 'readAt', index: leader.view.commitIndex });
    expect(cluster.network).to.deep.equal([]);
  });

  it('RaftCore counts a lease from the sending of its round, less what clocks may err', () => {
    const [cluster, leader] = clusterOf();
    // The answers to this round come late: what counts is when it was sent.
    const sentAtMs: number[] = [];
    const late = leader.outputs.length;
    while (sentAtMs.length === 0) {
      cluster.tick();
      if (leader.outputs.slice(late).some((output) => messagesOf(output, 'heartbeat').length > 0)) {
        sentAtMs.push(cluster.nowMs);
      }
    }
    for (let i = 0; i < 3; i++) leader.step({ kind: 'tick', elapsedMs: 10 });
    cluster.nowMs += 30;
    cluster.deliver();
    const reply = readNow(cluster, leader);
    expect(reply).to.deep.include({ leaseUntilMs: (sentAtMs[0] ?? 0) + leaseMs });
  });

  it('RaftCore asks again once the lease ran out, and gives none while a minority answers', () => {
    const [cluster, leader] = clusterOf();
    cluster.isolate('a');
    cluster.run(leaseMs - 60);
    expect(readNow(cluster, leader)?.kind).to.equal('readAt');
    cluster.run(70);
    expect(leader.view.role).to.equal('leader');
    expect(readNow(cluster, leader)).to.equal(undefined);
    // A stalled process whose clock went on: whatever its ticks credited, the lease is over.
    const [other, stalled] = clusterOf();
    other.nowMs += leaseMs + 1;
    expect(readNow(other, stalled)).to.equal(undefined);
  });

  it('RaftCore has no lease unless asked for, nor without a clock', () => {
    const [cluster, leader] = clusterOf(false);
    expect(readNow(cluster, leader)).to.equal(undefined);
    const [timed, other] = clusterOf();
    const tag = timed.read(other);
    expect(timed.replyTo(other, tag)).to.equal(undefined);
    timed.deliver();
    expect(timed.replyTo(other, tag)).to.not.have.property('leaseUntilMs');
  });

  it('RaftCore has no lease before its own no-op is committed', () => {
    const [cluster, leader] = clusterOf();
    cluster.isolate('a');
    cluster.runUntil(() => cluster.leaders[0] !== leader && cluster.leaders.length === 1, 3_000);
    cluster.heal();
    const next = cluster.leader;
    expect(next.id).to.not.equal(leader.id);
    const [fresh] = [
      new RaftCluster({ configuration: three, nodes: 'a b c', settings: { leaseReads: true } }),
    ];
    fresh.loses = ({ kind }) => kind === 'appendResponse';
    fresh.runUntil(() => fresh.leaders.length === 1);
    fresh.run(150);
    expect(fresh.leader.view.leaderReady).to.equal(false);
    expect(readNow(fresh, fresh.leader)).to.equal(undefined);
  });

  it('RaftCore has no lease during a transfer, nor after one whose order may still arrive', () => {
    const [cluster, leader] = clusterOf();
    cluster.loses = ({ kind, to }) => kind === 'timeoutNow' || to === peer('b');
    cluster.propose(leader, 'x');
    const tag = cluster.transfer(leader, 'b');
    expect(readNow(cluster, leader)).to.equal(undefined);
    cluster.run(300);
    expect(cluster.replyTo(leader, tag)).to.deep.include({ reason: 'abandoned' });
    cluster.run(100);
    // b was never told to campaign: nothing of a promise is broken.
    expect(readNow(cluster, leader)?.kind).to.equal('readAt');
    cluster.transfer(leader, 'c');
    cluster.run(400);
    expect(leader.view.role).to.equal('leader');
    expect(readNow(cluster, leader)).to.equal(undefined);
  });

  it('RaftCore ends its lease when the members change', () => {
    const [cluster, leader] = clusterOf();
    expect(readNow(cluster, leader)?.kind).to.equal('readAt');
    cluster.loses = ({ kind }) => kind === 'heartbeat';
    cluster.change(leader, { kind: 'add', member: member('d', 'observer') });
    cluster.deliver();
    expect(readNow(cluster, leader)).to.equal(undefined);
    cluster.heal();
    cluster.run(100);
    expect(readNow(cluster, leader)?.kind).to.equal('readAt');
  });

  it('RaftCore that is left as the sole voter does not campaign while it owes the leaving leader a promise', () => {
    const [cluster, leader] = clusterOf(true, configurationOf('a b'));
    const heir = cluster.node('b');
    const isLeft = (): boolean => {
      const { members, outgoingVoters } = heir.view.configuration.configuration;
      return members.length === 1 && outgoingVoters.length === 0;
    };
    cluster.loses = ({ kind }) => kind === 'appendResponse' && isLeft();
    cluster.change(leader, { kind: 'remove', nodeId: asNodeId('a') });
    cluster.runUntil(isLeft);
    cluster.run(heartbeatMs * 2);
    expect(isLeft()).to.equal(true);
    expect(readNow(cluster, leader)?.kind).to.equal('readAt');
    expect(heir.view.role).to.equal('follower');
    cluster.isolate('a');
    cluster.run(electionTimeoutMsMin);
    expect(heir.view.role).to.equal('leader');
  });

  it('RaftCore that was restarted keeps the promise that its last life may have given', () => {
    const init = initOf('b', three, { settings: { leaseReads: true } });
    const ask = (core: RaftCore, preVote: boolean): boolean => {
      const request = voteRequest(
        { from: 'c', to: 'b', term: 1 },
        { term: 0, index: 0 },
        { preVote },
      );
      return messagesOf(receive(core, request), 'voteResponse').every(({ granted }) => granted);
    };
    for (const preVote of [true, false]) {
      const core = new RaftCore(init, seededRandom(1));
      expect(ask(core, preVote)).to.equal(false);
      for (let i = 0; i < 5; i++) core.step({ kind: 'tick', elapsedMs: heartbeatMs - 1 });
      expect(ask(core, preVote)).to.equal(false);
      core.step({ kind: 'tick', elapsedMs: heartbeatMs });
      expect(ask(core, preVote)).to.equal(true);
    }
    const careless = new RaftCore(initOf('b', three), seededRandom(1));
    expect(ask(careless, true)).to.equal(true);
  });

  it('RaftCore never reads by lease what a later leader has gone beyond, whoever is cut off', () => {
    let served = 0;
    for (let seed = 1; seed <= SEEDS; seed++) served += readInTrouble(seed);
    expect(served).to.be.greaterThan(50 * SEEDS);
  });
});

const SEEDS = 40;

/** Returns how many reads the leases served; none may miss what was committed before it. */
function readInTrouble(seed: number): number {
  const settings = { leaseReads: true };
  const cluster = new RaftCluster({ configuration: three, nodes: 'a b c', seed, settings });
  let committed = 0;
  let served = 0;
  cluster.onReleased = (_, entries) => {
    committed = Math.max(committed, entries.at(-1)?.index ?? 0);
  };
  for (let step = 0; step < 300; step++) {
    disturb(cluster);
    for (const leader of cluster.leaders) {
      const known = committed;
      const reply = readNow(cluster, leader);
      if (reply?.kind === 'readAt') {
        expect(reply.index, `seed ${seed}`).to.be.at.least(known);
        served += 1;
      }
      cluster.propose(leader, `${step}`);
    }
    cluster.run(10 + cluster.random.intBelow(8) * 10);
  }
  return served;
}

function disturb(cluster: RaftCluster): void {
  const name = ['a', 'b', 'c'][cluster.random.intBelow(3)] ?? 'a';
  const [leader] = cluster.leaders;
  switch (cluster.random.intBelow(16)) {
    case 0:
      cluster.isolate(name);
      return;
    case 1:
      cluster.heal();
      return;
    case 2:
      if (cluster.live.length === 3) cluster.node(name).crash();
      return;
    case 3:
      restartAll(cluster);
      return;
    case 4:
      if (leader) cluster.transfer(leader, null);
      return;
    case 5:
      if (leader) forget(cluster, leader);
      return;
    default:
      return;
  }
}

function restartAll(cluster: RaftCluster): void {
  for (const node of cluster.nodes.values()) if (node.isDown) node.restart();
}

/** The leader hears nobody, and those who promised it something start again. */
function forget(cluster: RaftCluster, leader: RaftNode): void {
  if (cluster.live.length < 3) return;
  cluster.loses = ({ from, to }) => [from, to].includes(leader.id);
  for (const node of cluster.live) {
    if (node === leader) continue;
    node.crash();
    node.restart();
  }
}
