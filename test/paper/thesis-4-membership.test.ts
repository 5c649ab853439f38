import { expect } from 'chai';
import type {
  Configuration,
  MemberChange,
  MemberRole,
  RaftCore,
  RaftMessage,
} from '../../src/raft/index.ts';
import { votersOf } from '../../src/raft/index.ts';
import { asNodeId } from '../../src/shared/index.ts';
import { encodeConfiguration } from '../../src/wire/index.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { configurationOf, entry, member, peer } from '../support/raft-fixtures.ts';
import {
  acknowledge,
  append,
  heartbeat,
  messagesOf,
  receive,
  voteRequest,
} from '../support/raft-messages.ts';
import type { RaftNode } from '../support/raft-node.ts';
import { coreOf, leaderOf, readyLeaderOf, threeVoters, wait } from '../support/raft-roles.ts';

const remove = (name: string): MemberChange => ({ kind: 'remove', nodeId: asNodeId(name) });
const addLearner = (name: string): MemberChange => ({
  kind: 'add',
  member: member(name, 'learner'),
});
const request = (core: RaftCore, ...changes: MemberChange[]): ReturnType<RaftCore['step']> =>
  core.step({ kind: 'changeMembers', tag: 1, changes });

const inForce = ({ view }: Pick<RaftNode, 'view'>): Configuration =>
  view.configuration.configuration;
const roleOf = (node: RaftNode, name: string): MemberRole | undefined =>
  inForce(node).members.find(({ nodeId }) => nodeId === asNodeId(name))?.role;

function clusterOf(nodes = 'a b c d'): [RaftCluster, RaftNode] {
  const cluster = new RaftCluster({ configuration: threeVoters, nodes });
  const leader = cluster.elect('a');
  cluster.run(100);
  return [cluster, leader];
}

describe('Thesis 4.1: safety of changes', () => {
  it('a server uses the newest configuration in its log, committed or not', () => {
    const core = coreOf({ terms: [1] });
    const newer = {
      ...entry(2, 3, '', 'configuration'),
      payload: encodeConfiguration(configurationOf('a b')),
    };
    receive(core, append({ from: 'b', to: 'a', term: 3 }, { term: 1, index: 1 }, [newer]));
    expect(core.view).to.deep.include({ commitIndex: 0 });
    expect(votersOf(inForce(core))).to.deep.equal([peer('a'), peer('b')]);
  });

  it('when that entry is truncated, the one before is in force again', () => {
    const core = coreOf({ terms: [1] });
    const newer = {
      ...entry(2, 3, '', 'configuration'),
      payload: encodeConfiguration(configurationOf('a b')),
    };
    receive(core, append({ from: 'b', to: 'a', term: 3 }, { term: 1, index: 1 }, [newer]));
    const other = append({ from: 'c', to: 'a', term: 4 }, { term: 1, index: 1 }, [entry(2, 4)]);
    expect(receive(core, other).configuration?.index).to.equal(0);
    expect(votersOf(inForce(core))).to.have.length(3);
  });

  it('the next change waits until the one before is committed', () => {
    const core = readyLeaderOf();
    expect(request(core, addLearner('d')).replies[0]?.kind).to.equal('appended');
    expect(request(core, addLearner('e')).replies[0]).to.deep.include({ reason: 'busy' });
    for (const from of ['b', 'c']) receive(core, acknowledge({ from, to: 'a', term: 1 }, 2));
    expect(request(core, addLearner('e')).replies[0]?.kind).to.equal('appended');
  });

  it('a leader changes nothing before an entry of its own term is committed (correction of 2015)', () => {
    const core = leaderOf();
    expect(request(core, addLearner('d')).replies[0]).to.deep.include({ reason: 'busy' });
    receive(core, acknowledge({ from: 'b', to: 'a', term: 1 }, 1));
    expect(request(core, addLearner('d')).replies[0]?.kind).to.equal('appended');
  });

  it('appends are taken from a leader outside of the own configuration', () => {
    const core = coreOf({ terms: [1] });
    const asked = append({ from: 'z', to: 'a', term: 3 }, { term: 1, index: 1 }, [entry(2, 3)]);
    expect(messagesOf(receive(core, asked), 'appendResponse')[0]?.success).to.equal(true);
    expect(core.view.leader).to.equal(peer('z'));
  });

  it('votes are given to a candidate outside of the own configuration, and by one outside of all', () => {
    for (const configuration of [threeVoters, configurationOf('b c', 'a'), configurationOf('')]) {
      const core = coreOf({ configuration });
      const asked = voteRequest({ from: 'z', to: 'a', term: 3 }, { term: 1, index: 1 });
      expect(messagesOf(receive(core, asked), 'voteResponse')[0]?.granted).to.equal(true);
    }
  });
});

describe('Thesis 4.2: availability', () => {
  it('4.2.1: a new server has no vote while it catches up, neither in commits nor in elections', () => {
    const core = readyLeaderOf({ configuration: configurationOf('a b c', 'd', 'e') });
    core.step({ kind: 'propose', proposals: [{ tag: 1, payload: new Uint8Array(1) }] });
    for (const from of ['d', 'e']) receive(core, acknowledge({ from, to: 'a', term: 1 }, 2));
    expect(core.view.commitIndex).to.equal(1);
    const learner = coreOf({ configuration: configurationOf('b c', 'a') });
    expect(wait(learner, 3_000).flatMap(({ messagesNow }) => messagesNow)).to.deep.equal([]);
  });

  it('4.2.1: it becomes a voter by itself when a round of catching up was short', () => {
    const [cluster, leader] = clusterOf();
    for (let i = 0; i < 50; i++) cluster.propose(leader, `${i}`);
    cluster.change(leader, addLearner('d'));
    expect(roleOf(leader, 'd')).to.equal('learner');
    cluster.runUntil(() => roleOf(leader, 'd') === 'voter', 1_000);
    expect(cluster.node('d').view.lastIndex).to.be.at.least(51);
  });

  it('4.2.1: one that is away or too slow holds up nobody: it stays without a vote', () => {
    const [cluster, leader] = clusterOf();
    cluster.isolate('d');
    cluster.change(leader, addLearner('d'));
    cluster.run(3_000);
    expect(roleOf(leader, 'd')).to.equal('learner');
    cluster.propose(leader, 'x');
    cluster.run(50);
    expect(leader.view.commitIndex).to.equal(leader.view.lastIndex);
  });

  it('4.2.2: a leader that removes itself leads until that is committed, and then no more', () => {
    const [cluster, leader] = clusterOf('a b c');
    cluster.loses = ({ kind }) => kind === 'appendResponse';
    cluster.change(leader, remove('a'));
    cluster.run(60);
    expect(leader.view.role).to.equal('leader');
    cluster.heal();
    cluster.run(200);
    expect(leader.view.role).to.equal('follower');
    expect(votersOf(inForce(cluster.leader))).to.deep.equal([peer('b'), peer('c')]);
  });

  it('4.2.2: while it leads others without being one of them, it does not count itself', () => {
    const [cluster, leader] = clusterOf('a b c');
    cluster.change(leader, remove('a'));
    const joint = leader.view.lastIndex;
    const held: RaftMessage[] = [];
    cluster.loses = (message) =>
      message.kind === 'appendResponse' &&
      message.from === peer('c') &&
      message.index > joint &&
      held.push(message) > 0;
    cluster.run(200);
    // The joint configuration is committed; the last one, without a, needs b and c both.
    expect(votersOf(inForce(leader))).to.deep.equal([peer('b'), peer('c')]);
    expect(inForce(leader).outgoingVoters).to.deep.equal([]);
    expect(leader.view).to.deep.include({ role: 'leader', commitIndex: joint });
    cluster.heal();
    for (const answer of held) cluster.pass(answer);
    expect(leader.view).to.deep.include({ role: 'follower', commitIndex: joint + 1 });
  });

  it('4.2.3: who heard a leader within the shortest timeout neither votes nor takes a later term', () => {
    const core = coreOf();
    receive(core, heartbeat({ from: 'b', to: 'a', term: 1 }));
    for (const preVote of [true, false]) {
      const asked = voteRequest(
        { from: 'c', to: 'a', term: 9 },
        { term: 9, index: 9 },
        { preVote },
      );
      const [answer] = messagesOf(receive(core, asked), 'voteResponse');
      expect(answer).to.deep.include({ granted: false, term: 1 });
    }
    wait(core, 250);
    const later = voteRequest({ from: 'c', to: 'a', term: 9 }, { term: 9, index: 9 });
    expect(messagesOf(receive(core, later), 'voteResponse')[0]?.granted).to.equal(true);
  });

  it('4.2.3: nor does the leader itself', () => {
    const core = readyLeaderOf();
    receive(core, voteRequest({ from: 'c', to: 'a', term: 9 }, { term: 9, index: 9 }));
    expect(core.view).to.deep.include({ role: 'leader', term: 1 });
  });

  it('4.2.3: a removed server that comes back disturbs nobody, whatever its term', () => {
    const [cluster, leader] = clusterOf('a b c');
    const { term } = leader.view;
    cluster.node('c').crash();
    cluster.change(leader, remove('c'));
    cluster.runUntil(() => votersOf(inForce(leader)).length === 2, 1_000);
    const removed = cluster.node('c');
    removed.disk.hardState = { term: (term + 70) as never, vote: removed.id };
    removed.restart();
    cluster.run(5_000);
    expect(leader.view).to.deep.include({ role: 'leader', term });
  });
});
