import { expect } from 'chai';
import { RaftCore } from '../../../src/raft/index.ts';
import type { RaftMessage } from '../../../src/raft/index.ts';
import { asIndex, asTerm, seededRandom, utf8 } from '../../../src/shared/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, initOf, peer } from '../../support/raft-fixtures.ts';
import {
  acknowledge,
  append,
  messagesOf,
  persistAll,
  pulse,
  receive,
  tickUntil,
  voteResponse,
} from '../../support/raft-messages.ts';

const three = configurationOf('a b c');

/** A leader of term 1 whose no-op, entry 1, is durable and acknowledged by b. */
function leaderCore(settings = {}, configuration = three): RaftCore {
  const core = new RaftCore(initOf('a', configuration, { settings }), seededRandom(1));
  tickUntil(core, ({ change }) => change !== null);
  persistAll(core, receive(core, voteResponse({ from: 'b', to: 'a', term: 1 }, true, true)));
  persistAll(core, receive(core, voteResponse({ from: 'b', to: 'a', term: 1 }, true)));
  receive(core, acknowledge({ from: 'b', to: 'a', term: 1 }, 1));
  return core;
}

const propose = (core: RaftCore, ...texts: string[]): ReturnType<RaftCore['step']> =>
  core.step({
    kind: 'propose',
    proposals: texts.map((text, tag) => ({ tag, payload: utf8(text) })),
  });

const ack = (core: RaftCore, from: string, index: number): ReturnType<RaftCore['step']> =>
  receive(core, acknowledge({ from, to: 'a', term: 1 }, index));

const appendsTo = (messages: readonly RaftMessage[], to: string): number[][] =>
  messages.flatMap((message) =>
    message.kind === 'appendRequest' && message.to === peer(to)
      ? [[message.previousIndex, message.lastIndex]]
      : [],
  );

describe('RaftCore as leader', () => {
  it('RaftCore does not count learners, observers or strangers', () => {
    const core = leaderCore({}, configurationOf('a b c', 'd', 'e'));
    persistAll(core, propose(core, 'x'));
    for (const from of ['d', 'e', 'z']) ack(core, from, 2);
    expect(core.view.commitIndex).to.equal(1);
  });

  it('RaftCore finds where the logs meet with one round trip for each term (5.3)', () => {
    const long = [...Array<number>(30).fill(1), ...Array<number>(30).fill(3), 5];
    const odd = [
      ...Array<number>(30).fill(1),
      ...Array<number>(50).fill(2),
      ...Array<number>(50).fill(4),
    ];
    const cluster = new RaftCluster({
      configuration: three,
      nodes: 'a b c',
      terms: { a: long, b: odd, c: long },
    });
    const probes: number[] = [];
    cluster.loses = (message) => {
      if (message.kind === 'appendResponse' && !message.success) probes.push(message.index);
      return false;
    };
    const leader = cluster.elect('a');
    cluster.run(200);
    expect(cluster.node('b').view.lastIndex).to.equal(leader.view.lastIndex);
    expect(probes.length).to.be.within(1, 4);
    expect(cluster.node('b').memory.map(({ term }) => term)).to.deep.equal(
      leader.memory.map(({ term }) => term),
    );
  });

  it('RaftCore keeps within the window, and goes on when answers come', () => {
    const core = leaderCore({ inflightMessagesMax: 2 });
    expect(appendsTo(propose(core, 'p').messagesNow, 'b')).to.deep.equal([[1, 2]]);
    expect(appendsTo(propose(core, 'q').messagesNow, 'b')).to.deep.equal([[2, 3]]);
    expect(appendsTo(propose(core, 'r').messagesNow, 'b')).to.deep.equal([]);
    expect(appendsTo(propose(core, 's').messagesNow, 'b')).to.deep.equal([]);
    expect(appendsTo(ack(core, 'b', 2).messagesNow, 'b')).to.deep.equal([[3, 5]]);
  });

  it('RaftCore bounds the window in bytes too, and a message by its entries', () => {
    const core = leaderCore({ inflightBytesMax: 25, appendBytesMax: 20 });
    const texts = Array.from({ length: 6 }, () => 'x'.repeat(10));
    expect(appendsTo(propose(core, ...texts).messagesNow, 'b')).to.deep.equal([
      [1, 3],
      [3, 5],
    ]);
    const big = propose(leaderCore({ inflightBytesMax: 25, appendBytesMax: 20 }), 'x'.repeat(99));
    expect(appendsTo(big.messagesNow, 'b')).to.deep.equal([[1, 2]]);
  });

  it('RaftCore recovers from a full window whose messages are all lost (etcd #14633)', () => {
    const cluster = new RaftCluster({
      configuration: three,
      nodes: 'a b c',
      settings: { inflightMessagesMax: 2 },
    });
    const leader = cluster.elect('a');
    cluster.run(200);
    cluster.loses = ({ kind, to }) => to === peer('b') && kind === 'appendRequest';
    for (let i = 0; i < 10; i++) {
      cluster.propose(leader, `lost ${i}`);
      cluster.deliver();
    }
    cluster.run(1_000);
    expect(cluster.node('b').view.lastIndex).to.equal(1);
    cluster.heal();
    cluster.run(300);
    expect(cluster.node('b').view.lastIndex).to.equal(leader.view.lastIndex);
  });

  it('RaftCore asks a silent peer with empty appends only, and never beyond the window', () => {
    const core = leaderCore({ inflightMessagesMax: 2 });
    const sent: number[][] = [];
    for (let i = 0; i < 50; i++) {
      propose(core, `${i}`);
      receive(core, pulse({ from: 'c', to: 'a', term: 1 }));
      const output = core.step({ kind: 'tick', elapsedMs: 50 });
      sent.push(...appendsTo(output.messagesNow, 'b'));
    }
    expect(sent.length).to.be.greaterThan(10);
    expect(sent.every(([previous, last]) => previous === last)).to.equal(true);
  });

  it('RaftCore takes a heartbeat answer that overtakes an append answer as no rejection', () => {
    const core = leaderCore();
    persistAll(core, propose(core, 'x'));
    receive(core, pulse({ from: 'b', to: 'a', term: 1 }));
    ack(core, 'b', 2);
    expect(core.view.peers.find((view) => view.peer === peer('b'))).to.deep.include({
      matchIndex: 2,
      state: 'replicate',
    });
  });

  it('RaftCore goes back for no stale rejection', () => {
    const core = leaderCore();
    persistAll(core, propose(core, 'x'));
    ack(core, 'b', 2);
    const stale = { ...acknowledge({ from: 'b', to: 'a', term: 1 }, 1), success: false };
    expect(receive(core, stale).messagesNow).to.deep.equal([]);
    expect(core.view.peers.find((view) => view.peer === peer('b'))?.state).to.equal('replicate');
  });

  it('RaftCore refuses what exceeds the uncommitted bytes, until some are committed', () => {
    const core = leaderCore({ uncommittedBytesMax: 300 });
    const first = propose(core, 'x'.repeat(500), 'y');
    expect(first.replies.map(({ kind }) => kind)).to.deep.equal(['appended', 'refused']);
    expect(first.replies[1]).to.deep.include({ reason: 'overloaded', leader: peer('a') });
    persistAll(core, first);
    ack(core, 'b', 2);
    const replies = propose(core, ...Array<string>(12).fill('')).replies;
    expect(replies.filter(({ kind }) => kind === 'appended')).to.have.length(9);
  });

  it('RaftCore does not take late news of a write for the entries that replaced it (ABA)', () => {
    const core = leaderCore();
    const first = propose(core, 'old 2', 'old 3');
    // Deposed: the next leader replaces both. Then this node leads again, at the same indexes.
    const replaced = receive(core, {
      ...append({ from: 'b', to: 'a', term: 2 }, { index: 1, term: 1 }, []),
      entries: [{ index: asIndex(2), term: asTerm(2), kind: 'noop', payload: utf8('') }],
      lastIndex: asIndex(2),
    });
    tickUntil(core, ({ change }) => change?.role === 'preCandidate');
    const campaign = receive(core, voteResponse({ from: 'c', to: 'a', term: 3 }, true, true));
    expect(campaign.afterSequence).to.be.greaterThan(replaced.afterSequence);
    persistAll(core, first);
    expect(core.view.role).to.equal('candidate');
    persistAll(core, campaign);
    const led = receive(core, voteResponse({ from: 'c', to: 'a', term: 3 }, true));
    expect(led.persist?.entries.map(({ index }) => index)).to.deep.equal([3]);
    core.step({ kind: 'persisted', sequence: first.afterSequence });
    receive(core, acknowledge({ from: 'c', to: 'a', term: 3 }, 3));
    expect(core.view.commitIndex).to.equal(1);
    persistAll(core, led);
    expect(core.view.commitIndex).to.equal(3);
  });

  it('RaftCore tells followers of commits by the next tick when no append does', () => {
    const core = leaderCore();
    persistAll(core, propose(core, 'x'));
    ack(core, 'b', 2);
    const output = core.step({ kind: 'tick', elapsedMs: 1 });
    expect(messagesOf(output, 'heartbeat').map(({ to, commit }) => [to, commit])).to.deep.equal([
      [peer('b'), 2],
    ]);
    expect(core.step({ kind: 'tick', elapsedMs: 1 }).messagesNow).to.deep.equal([]);
  });

  it('RaftCore sends heartbeats in time with ticks that come a hair early', () => {
    const core = leaderCore();
    ack(core, 'c', 1);
    const [news, ...beats] = Array.from({ length: 6 }, () => {
      return messagesOf(core.step({ kind: 'tick', elapsedMs: 24.99 }), 'heartbeat').length;
    });
    expect(news, 'the first tick tells what is committed').to.equal(2);
    expect(beats).to.deep.equal([2, 0, 2, 0, 2]);
  });

  it('RaftCore shows peers only while it leads', () => {
    const core = leaderCore();
    expect(core.view.peers.map((view) => view.peer)).to.deep.equal([peer('b'), peer('c')]);
    receive(core, append({ from: 'b', to: 'a', term: 2 }, { index: 0, term: 0 }, []));
    expect(core.view.peers).to.deep.equal([]);
  });
});
