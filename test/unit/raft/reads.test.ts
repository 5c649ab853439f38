import { expect } from 'chai';
import { RaftCore } from '../../../src/raft/index.ts';
import { asIndex, asTerm, seededRandom } from '../../../src/shared/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, initOf, peer } from '../../support/raft-fixtures.ts';
import {
  acknowledge,
  heartbeat,
  messagesOf,
  persistAll,
  pulse,
  receive,
  tickUntil,
  voteResponse,
} from '../../support/raft-messages.ts';

const three = configurationOf('a b c');
const toA = { to: 'a', term: 1 };

/** A leader of term 1; its no-op is durable here, and nowhere else yet. */
function freshLeader(configuration = three, settings = {}): RaftCore {
  const core = new RaftCore(initOf('a', configuration, { settings }), seededRandom(1));
  tickUntil(core, ({ change }) => change !== null);
  const voters = configuration.members.map(({ nodeId }) => nodeId as string).slice(1, 3);
  for (const from of voters) receive(core, voteResponse({ from, ...toA }, true, true));
  persistAll(core, core.step({ kind: 'tick', elapsedMs: 0 }));
  for (const from of voters) receive(core, voteResponse({ from, ...toA }, true));
  persistAll(core, core.step({ kind: 'tick', elapsedMs: 0 }));
  expect(core.view.role).to.equal('leader');
  return core;
}

function readyLeader(configuration = three, settings = {}): RaftCore {
  const core = freshLeader(configuration, settings);
  for (const from of ['b', 'c']) receive(core, acknowledge({ from, ...toA }, 1));
  expect(core.view.leaderReady).to.equal(true);
  return core;
}

const read = (core: RaftCore, tag: number): ReturnType<RaftCore['step']> =>
  core.step({ kind: 'read', tag });

describe('RaftCore reads', () => {
  it('RaftCore takes the echo of an append for a confirmation too, also of a rejected one', () => {
    const core = readyLeader();
    read(core, 1);
    const echo = { ...acknowledge({ from: 'c', ...toA }, 0, 1), success: false };
    expect(receive(core, echo).replies).to.have.length(1);
  });

  it('RaftCore of five serves no read with one follower, nor with learners', () => {
    const core = readyLeader(configurationOf('a b c d e', 'f', 'g'));
    read(core, 1);
    for (const from of ['b', 'f', 'g', 'z']) {
      expect(receive(core, pulse({ from, ...toA }, 1)).replies, from).to.deep.equal([]);
    }
    expect(receive(core, pulse({ from: 'd', ...toA }, 1)).replies).to.have.length(1);
  });

  it('RaftCore confirms no read by an answer that was given before it (etcd #20418)', () => {
    const core = readyLeader();
    read(core, 1);
    receive(core, pulse({ from: 'b', ...toA }, 1));
    read(core, 2);
    for (const round of [0, 1, 99]) {
      expect(receive(core, pulse({ from: 'c', ...toA }, round)).replies).to.deep.equal([]);
    }
    const otherTerm = pulse({ from: 'c', to: 'a', term: 0 }, 2);
    expect(receive(core, otherTerm).replies).to.deep.equal([]);
  });

  it('RaftCore alone answers at once, when its no-op is durable', () => {
    const core = new RaftCore(initOf('a', configurationOf('a', 'b')), seededRandom(1));
    const led = persistAll(core, core.step({ kind: 'tick', elapsedMs: 1 }));
    expect(read(core, 1).replies).to.deep.equal([]);
    expect(persistAll(core, led).replies).to.deep.equal([{ kind: 'readAt', tag: 1, index: 1 }]);
    expect(read(core, 2).replies).to.have.length(1);
  });

  it('RaftCore bounds the reads that wait', () => {
    const core = readyLeader(three, { pendingReadsMax: 3 });
    for (const tag of [1, 2, 3]) expect(read(core, tag).replies).to.deep.equal([]);
    expect(read(core, 4).replies[0]).to.deep.include({ kind: 'refused', reason: 'overloaded' });
  });

  it('RaftCore abandons reads when it loses office', () => {
    const core = readyLeader();
    read(core, 1);
    read(core, 2);
    const request = { from: peer('c'), to: peer('a'), term: asTerm(1), requestId: 77 };
    receive(core, { kind: 'readRequest', ...request });
    const output = receive(core, heartbeat({ from: 'b', to: 'a', term: 2 }));
    expect(output.replies.map(({ tag, kind }) => [tag, kind])).to.deep.equal([
      [2, 'refused'],
      [1, 'refused'],
    ]);
    expect(messagesOf(output, 'readResponse')[0]).to.deep.include({ requestId: 77, index: null });
  });

  it('RaftCore serves reads of a follower through the leader, batch by batch', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    const leader = cluster.elect('a');
    cluster.run(100);
    cluster.propose(leader, 'x');
    cluster.deliver();
    const follower = cluster.node('b');
    const tags = [cluster.read(follower), cluster.read(follower), cluster.read(follower)];
    expect(cluster.network.filter(({ kind }) => kind === 'readRequest')).to.have.length(1);
    cluster.deliver();
    for (const tag of tags) {
      expect(cluster.replyTo(follower, tag)).to.deep.include({ kind: 'readAt', index: 2 });
    }
    // The answer brought the news of the commit along: no tick was needed.
    expect(follower.view.appliedIndex).to.equal(2);
  });

  it('RaftCore serves reads of learners and observers, and of followers before the no-op', () => {
    const configuration = configurationOf('a b c', 'd', 'e');
    const cluster = new RaftCluster({ configuration, nodes: 'a b c d e' });
    cluster.loses = ({ kind }) => kind === 'appendResponse';
    cluster.runUntil(() => cluster.leaders.length === 1);
    const { leader } = cluster;
    cluster.run(60);
    const readers = cluster.live.filter((node) => node !== leader);
    const tags = readers.map((node) => cluster.read(node));
    cluster.deliver();
    expect(readers.map((node, i) => cluster.replyTo(node, tags[i] ?? 0))).to.deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    cluster.heal();
    cluster.run(150);
    for (const [i, node] of readers.entries()) {
      expect(cluster.replyTo(node, tags[i] ?? 0)?.kind).to.equal('readAt');
    }
  });

  it('RaftCore asks again when the request or the answer is lost, and gives up in time', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    cluster.elect('a');
    cluster.run(100);
    const follower = cluster.node('b');
    const isRead = ({ kind }: { readonly kind: string }): boolean => kind.startsWith('read');
    cluster.loses = isRead;
    const tag = cluster.read(follower);
    cluster.run(30);
    cluster.heal();
    cluster.run(100);
    expect(cluster.replyTo(follower, tag)?.kind).to.equal('readAt');
    cluster.loses = isRead;
    const lost = cluster.read(follower);
    cluster.run(300);
    expect(cluster.replyTo(follower, lost)).to.deep.include({ reason: 'abandoned' });
  });

  it('RaftCore abandons a follower’s reads when the leader changes, and takes no late answer', () => {
    const core = new RaftCore(initOf('a', three), seededRandom(1));
    expect(read(core, 1).replies[0]).to.deep.include({ reason: 'notLeader', leader: null });
    receive(core, heartbeat({ from: 'b', ...toA }));
    const asked = messagesOf(read(core, 2), 'readRequest')[0];
    expect(asked?.to).to.equal(peer('b'));
    read(core, 3);
    const changed = receive(core, heartbeat({ from: 'c', to: 'a', term: 2 }));
    expect(changed.replies.map(({ tag }) => tag)).to.deep.equal([2, 3]);
    read(core, 4);
    const late = {
      kind: 'readResponse',
      from: peer('b'),
      to: peer('a'),
      term: asTerm(1),
      requestId: asked?.requestId ?? 0,
      index: asIndex(0),
    } as const;
    expect(receive(core, late).replies).to.deep.equal([]);
  });

  it('RaftCore bounds a follower’s reads, and numbers requests anew after a restart', () => {
    const ids = new Set<number>();
    for (const seed of [1, 2, 3]) {
      const init = initOf('a', three, { settings: { pendingReadsMax: 2 } });
      const core = new RaftCore(init, seededRandom(seed));
      receive(core, heartbeat({ from: 'b', ...toA }));
      ids.add(messagesOf(read(core, 1), 'readRequest')[0]?.requestId ?? 0);
      read(core, 2);
      expect(read(core, 3).replies[0]).to.deep.include({ reason: 'overloaded' });
    }
    expect(ids.size).to.equal(3);
  });
});
