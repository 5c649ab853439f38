import { expect } from 'chai';
import { RaftCore } from '../../../src/raft/index.ts';
import { seededRandom, utf8 } from '../../../src/shared/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, initOf, member, peer } from '../../support/raft-fixtures.ts';
import { persistAll, receive, tickUntil, voteResponse } from '../../support/raft-messages.ts';
import type { RaftNode } from '../../support/raft-node.ts';

const three = configurationOf('a b c');

function clusterOf(configuration = three, nodes = 'a b c'): [RaftCluster, RaftNode] {
  const cluster = new RaftCluster({ configuration, nodes });
  const leader = cluster.elect('a');
  cluster.run(100);
  return [cluster, leader];
}

describe('RaftCore transfers of leadership (3.10)', () => {
  it('RaftCore brings the target up to date first, and takes no proposals meanwhile', () => {
    const [cluster, leader] = clusterOf();
    cluster.loses = ({ to, kind }) => to === peer('b') && kind === 'appendRequest';
    cluster.propose(leader, 'one', 'two');
    cluster.deliver();
    const tag = cluster.transfer(leader, 'b');
    cluster.propose(leader, 'late');
    expect(leader.replies.at(-1)).to.deep.include({ kind: 'refused', reason: 'busy' });
    expect(cluster.change(leader, { kind: 'add', member: member('d', 'learner') })).to.deep.include(
      {
        reason: 'busy',
      },
    );
    cluster.run(60);
    expect(leader.view.role).to.equal('leader');
    cluster.heal();
    cluster.run(150);
    expect(cluster.leader.id).to.equal(peer('b'));
    expect(cluster.leader.view.commitIndex).to.equal(4);
    expect(cluster.replyTo(leader, tag)?.kind).to.equal('transferred');
  });

  it('RaftCore repeats a lost order to campaign', () => {
    const [cluster, leader] = clusterOf();
    let lost = 0;
    cluster.loses = ({ kind }) => kind === 'timeoutNow' && lost++ < 1;
    cluster.transfer(leader, 'c');
    cluster.run(200);
    expect(lost).to.equal(2);
    expect(cluster.leader.id).to.equal(peer('c'));
  });

  it('RaftCore chooses the voter that has most, never a learner (hashicorp #398)', () => {
    const [cluster, leader] = clusterOf(configurationOf('a b c', '', 'd'), 'a b c d');
    cluster.isolate('b');
    cluster.propose(leader, 'x');
    cluster.run(20);
    cluster.transfer(leader, null);
    cluster.run(100);
    expect(cluster.leader.id).to.equal(peer('c'));
    const refused = cluster.transfer(cluster.leader, 'd');
    expect(cluster.replyTo(cluster.leader, refused)).to.deep.include({ reason: 'invalid' });
  });

  it('RaftCore refuses a second transfer, one to nobody and one without leading', () => {
    const [cluster, leader] = clusterOf();
    cluster.transfer(leader, 'b');
    const second = cluster.transfer(leader, 'c');
    expect(cluster.replyTo(leader, second)).to.deep.include({ reason: 'busy' });
    const follower = cluster.node('c');
    const elsewhere = cluster.transfer(follower, 'b');
    expect(cluster.replyTo(follower, elsewhere)).to.deep.include({ reason: 'notLeader' });
    const alone = new RaftCluster({ configuration: configurationOf('a'), nodes: 'a' });
    const only = alone.elect('a');
    const nobody = alone.transfer(only, null);
    expect(alone.replyTo(only, nobody)).to.deep.include({ reason: 'invalid' });
    const self = alone.transfer(only, 'a');
    expect(alone.replyTo(only, self)?.kind).to.equal('transferred');
  });

  it('RaftCore reports when another than the target won', () => {
    const [cluster, leader] = clusterOf();
    cluster.loses = ({ kind, to }) => kind === 'timeoutNow' || to === peer('b');
    const tag = cluster.transfer(leader, 'b');
    leader.step({ kind: 'diskStalled' });
    cluster.loses = ({ from, to }) => [from, to].includes(peer('b'));
    cluster.runUntil(() => cluster.replyTo(leader, tag) !== undefined, 2_000);
    expect(cluster.replyTo(leader, tag)).to.deep.include({ reason: 'abandoned' });
  });

  it('RaftCore that is elected again ends the transfer that it was busy with', () => {
    const core = new RaftCore(initOf('a', three), seededRandom(1));
    const vote = (term: number, preVote: boolean): ReturnType<RaftCore['step']> =>
      receive(core, voteResponse({ from: 'c', to: 'a', term }, true, preVote));
    const win = (term: number): ReturnType<RaftCore['step']> => {
      tickUntil(core, ({ change }) => change !== null);
      persistAll(core, vote(term, true));
      return vote(term, false);
    };
    win(1);
    core.step({ kind: 'transfer', tag: 7, to: peer('b') });
    core.step({ kind: 'diskStalled' });
    core.step({ kind: 'diskOk' });
    const { replies } = win(2);
    expect(core.view).to.deep.include({ role: 'leader', term: 2 });
    expect(replies[0]).to.deep.include({ kind: 'refused', tag: 7, reason: 'abandoned' });
    const proposals = [{ tag: 8, payload: utf8('x') }];
    expect(core.step({ kind: 'propose', proposals }).replies[0]?.kind).to.equal('appended');
  });

  it('RaftCore under constant writes hands over within a second (redpanda #2606)', () => {
    const [cluster, leader] = clusterOf();
    let count = 0;
    const write = (): void => {
      for (const node of cluster.leaders) cluster.propose(node, `${count++}`);
    };
    for (let i = 0; i < 20; i++) {
      write();
      cluster.run(10);
    }
    const tag = cluster.transfer(leader, 'b');
    for (let i = 0; i < 100 && !cluster.replyTo(leader, tag); i++) {
      write();
      cluster.run(10);
    }
    expect(cluster.replyTo(leader, tag)?.kind).to.equal('transferred');
    cluster.run(200);
    expect(cluster.leaders.map(({ id }) => id)).to.deep.equal([peer('b')]);
  });
});
