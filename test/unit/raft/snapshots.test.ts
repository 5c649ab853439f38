import { expect } from 'chai';
import { RaftCore } from '../../../src/raft/index.ts';
import type { LogBase, RaftOutput } from '../../../src/raft/index.ts';
import { asIndex, asNodeId, asTerm, seededRandom } from '../../../src/shared/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, entry, initOf, member, peer } from '../../support/raft-fixtures.ts';
import {
  append,
  heartbeat,
  messagesOf,
  receive,
  voteRequest,
} from '../../support/raft-messages.ts';
import type { RaftNode } from '../../support/raft-node.ts';

const three = configurationOf('a b c');

/** b was away while the leader wrote ten entries and cut its log. */
function withLaggard(): [RaftCluster, RaftNode, RaftNode] {
  const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
  const leader = cluster.elect('a');
  cluster.run(100);
  cluster.isolate('b');
  for (let i = 0; i < 10; i++) cluster.propose(leader, `${i}`);
  cluster.run(50);
  leader.compact(8);
  cluster.sendsSnapshotsAtOnce = false;
  return [cluster, leader, cluster.node('b')];
}

const baseAt = (index: number, term: number): LogBase => ({
  index: asIndex(index),
  term: asTerm(term),
  configuration: { index: asIndex(0), configuration: three },
});

const offer = (core: RaftCore, base: LogBase): RaftOutput =>
  core.step({ kind: 'snapshotReceived', from: peer('b'), term: asTerm(3), base });

const stateOf = (leader: RaftNode, id: string): string | undefined =>
  leader.view.peers.find((view) => view.peer === peer(id))?.state;

describe('RaftCore and snapshots (Raft 7)', () => {
  it('RaftCore streams a snapshot to a peer whose next entry is gone, once, and goes on after it', () => {
    const [cluster, leader, laggard] = withLaggard();
    cluster.heal();
    cluster.run(300);
    expect(cluster.snapshots).to.deep.equal([{ from: peer('a'), to: peer('b') }]);
    expect(stateOf(leader, 'b')).to.equal('snapshot');
    cluster.endSnapshot();
    cluster.run(100);
    expect(laggard.view).to.deep.include({ firstIndex: 9, commitIndex: leader.view.lastIndex });
    expect(stateOf(leader, 'b')).to.equal('replicate');
    expect(laggard.state.slice(2)).to.deep.equal(leader.state.slice(2));
  });

  it('RaftCore hands over to nobody who needs a snapshot or installs one, and takes commands meanwhile', () => {
    const [cluster, leader] = withLaggard();
    cluster.heal();
    cluster.run(300);
    const refusesTransfer = (): void => {
      const tag = cluster.transfer(leader, 'b');
      expect(cluster.replyTo(leader, tag)).to.deep.include({ reason: 'busy' });
      cluster.propose(leader, 'meanwhile');
      expect(leader.replies.at(-1)?.kind).to.equal('appended');
    };
    refusesTransfer();
    leader.step({ kind: 'snapshotSent', to: peer('b'), index: asIndex(8), ok: true });
    expect(stateOf(leader, 'b')).to.equal('probe');
    refusesTransfer();
  });

  it('RaftCore asks for no snapshot for a peer that is silent', () => {
    const [cluster] = withLaggard();
    cluster.run(1_000);
    expect(cluster.snapshots).to.deep.equal([]);
  });

  it('RaftCore tries again after a failed transfer when the peer answers', () => {
    const [cluster, leader, laggard] = withLaggard();
    cluster.heal();
    cluster.run(100);
    cluster.isolate('b');
    cluster.endSnapshot(false);
    cluster.run(200);
    expect(cluster.snapshots).to.deep.equal([]);
    cluster.heal();
    cluster.run(200);
    expect(cluster.snapshots).to.have.length(1);
    cluster.endSnapshot();
    cluster.run(100);
    expect(laggard.view.commitIndex).to.equal(leader.view.lastIndex);
  });

  it('RaftCore sends another snapshot when its log was cut again meanwhile (openraft #1706)', () => {
    const [cluster, leader, laggard] = withLaggard();
    cluster.heal();
    cluster.run(100);
    laggard.step({
      kind: 'snapshotReceived',
      from: leader.id,
      term: leader.view.term,
      base: { ...leader.disk.base, index: asIndex(1) },
    });
    leader.step({ kind: 'snapshotSent', to: laggard.id, index: asIndex(1), ok: true });
    cluster.run(100);
    expect(cluster.snapshots).to.have.length(2);
    cluster.snapshots.shift();
    cluster.endSnapshot();
    cluster.run(100);
    expect(laggard.view.commitIndex).to.equal(leader.view.lastIndex);
  });

  it('RaftCore finds that the log was cut beyond what it had sent and lost', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    const leader = cluster.elect('a');
    cluster.run(100);
    cluster.isolate('b');
    cluster.propose(leader, 'sent and lost');
    cluster.run(200);
    for (let i = 0; i < 5; i++) cluster.propose(leader, `${i}`);
    cluster.run(50);
    leader.compact(leader.view.appliedIndex);
    cluster.heal();
    cluster.run(400);
    expect(cluster.node('b').view.commitIndex).to.equal(leader.view.lastIndex);
  });

  it('RaftCore drops a snapshot of what it knows to be committed (etcd #1763)', () => {
    const core = new RaftCore(initOf('a', three, { terms: [1, 1, 1, 1] }), seededRandom(1));
    receive(core, append({ from: 'b', to: 'a', term: 3 }, { index: 4, term: 1 }, [], 3));
    const output = offer(core, baseAt(3, 1));
    expect(output.dropSnapshot).to.equal(true);
    expect(output.installSnapshot).to.equal(null);
    expect(core.view.lastIndex).to.equal(4);
  });

  it('RaftCore drops a snapshot that lies below its own base', () => {
    const core = new RaftCore(
      initOf('a', three, { terms: [1, 1, 1, 1], applied: 4 }),
      seededRandom(1),
    );
    core.step({ kind: 'compacted', base: baseAt(3, 1) });
    expect(offer(core, baseAt(2, 1))).to.deep.include({
      dropSnapshot: true,
      installSnapshot: null,
    });
    expect(core.view.firstIndex).to.equal(4);
  });

  it('RaftCore commits up to a snapshot that its log already covers, instead of installing it', () => {
    const core = new RaftCore(initOf('a', three, { terms: [1, 1, 1, 1] }), seededRandom(1));
    receive(core, heartbeat({ from: 'b', to: 'a', term: 3 }));
    const output = offer(core, baseAt(3, 1));
    expect(output.dropSnapshot).to.equal(true);
    expect(core.view).to.deep.include({ commitIndex: 3, lastIndex: 4 });
    expect(messagesOf(output, 'appendResponse')[0]).to.deep.include({ success: true, index: 3 });
  });

  it('RaftCore that leads commits by its quorum only, not by a snapshot that comes late', () => {
    const settings = { uncommittedBytesMax: 500 };
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c', settings });
    const leader = cluster.elect('a');
    cluster.run(100);
    cluster.isolate('a');
    cluster.propose(leader, 'x'.repeat(400));
    const { commitIndex, lastIndex, term } = leader.view;
    const base = { ...leader.disk.base, index: lastIndex, term };
    leader.step({ kind: 'snapshotReceived', from: peer('b'), term, base });
    expect(leader.view.commitIndex).to.equal(commitIndex);
    cluster.heal();
    cluster.run(500);
    expect(leader.view.commitIndex).to.equal(lastIndex);
    // Nothing is uncommitted: there is room for as much again.
    cluster.propose(leader, 'y', 'z'.repeat(400));
    expect(leader.view.lastIndex).to.equal(lastIndex + 2);
  });

  it('RaftCore installs over a log that conflicts, and keeps nothing of it', () => {
    const core = new RaftCore(initOf('a', three, { terms: [1, 1, 1, 1] }), seededRandom(1));
    receive(core, heartbeat({ from: 'b', to: 'a', term: 3 }));
    const base = baseAt(3, 2);
    expect(offer(core, base).installSnapshot).to.deep.equal(base);
    const output = core.step({ kind: 'snapshotInstalled', base });
    expect(core.view).to.deep.include({
      firstIndex: 4,
      lastIndex: 3,
      commitIndex: 3,
      appliedIndex: 3,
    });
    expect(output.configuration).to.deep.equal(base.configuration);
    expect(messagesOf(output, 'appendResponse')[0]).to.deep.include({ success: true, index: 3 });
  });

  it('RaftCore takes no appends, commits nothing and does not campaign while it installs', () => {
    const core = new RaftCore(initOf('a', three, { terms: [1, 1] }), seededRandom(1));
    receive(core, heartbeat({ from: 'b', to: 'a', term: 3 }));
    offer(core, baseAt(9, 2));
    const appended = receive(
      core,
      append({ from: 'b', to: 'a', term: 3 }, { index: 2, term: 1 }, [entry(3, 3)], 2),
    );
    expect(appended.persist).to.equal(null);
    expect(messagesOf(appended, 'heartbeatResponse')).to.have.length(1);
    receive(core, heartbeat({ from: 'b', to: 'a', term: 3 }, 2));
    expect(core.view.commitIndex).to.equal(0);
    expect(offer(core, baseAt(10, 2)).dropSnapshot).to.equal(true);
    for (let i = 0; i < 100; i++) core.step({ kind: 'tick', elapsedMs: 20 });
    expect(core.view).to.deep.include({ role: 'follower', leader: null });
    const vote = receive(core, voteRequest({ from: 'c', to: 'a', term: 4 }, { term: 3, index: 3 }));
    expect(messagesOf(vote, 'voteResponse')[0]?.granted).to.equal(true);
    core.step({ kind: 'snapshotInstalled', base: baseAt(9, 2) });
    const next = receive(
      core,
      append({ from: 'c', to: 'a', term: 4 }, { index: 9, term: 2 }, [entry(10, 4)]),
    );
    expect(next.persist?.entries).to.have.length(1);
  });

  it('RaftCore compacts term runs, sizes and configurations, and still replicates', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c d' });
    const leader = cluster.elect('a');
    cluster.run(100);
    cluster.change(leader, { kind: 'add', member: member('d', 'observer') });
    for (let i = 0; i < 10; i++) cluster.propose(leader, `${i}`);
    cluster.run(100);
    leader.compact(6);
    expect(leader.view).to.deep.include({ firstIndex: 7 });
    expect(leader.view.configuration.configuration.members).to.have.length(4);
    leader.crash();
    leader.restart();
    expect(leader.view.configuration.configuration.members).to.have.length(4);
    cluster.runUntil(() => cluster.leaders.length === 1);
    cluster.propose(cluster.leader, 'more');
    cluster.run(500);
    expect(leader.view.commitIndex).to.equal(cluster.leader.view.lastIndex);
  });

  it('RaftCore stops rather than cut what is not committed', () => {
    const core = new RaftCore(initOf('a', three, { terms: [1, 1] }), seededRandom(1));
    expect(() => core.step({ kind: 'compacted', base: baseAt(2, 1) })).to.throw(/Base 2 must be/);
  });

  it('RaftCore learns the configuration from a snapshot', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c d' });
    const leader = cluster.elect('a');
    cluster.run(100);
    for (let i = 0; i < 10; i++) cluster.propose(leader, `${i}`);
    cluster.run(100);
    leader.compact(9);
    cluster.change(leader, { kind: 'add', member: member('d', 'learner') });
    cluster.run(500);
    const joined = cluster.node('d').view;
    expect(joined.firstIndex).to.equal(10);
    expect(joined.configuration.configuration.members.at(-1)).to.deep.include({
      nodeId: asNodeId('d'),
      role: 'voter',
    });
  });
});
