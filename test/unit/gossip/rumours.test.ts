import { expect } from 'chai';
import * as fc from 'fast-check';
import { limits } from '../../../src/gossip/limits.ts';
import { asNodeId } from '../../../src/shared/index.ts';
import { encodeOpening, joinParts } from '../../../src/wire/index.ts';
import { GossipBench, rumourOf } from '../../support/gossip-bench.ts';
import { testClusterId } from '../../support/gossip-cluster.ts';

describe('GossipCore: rumours', () => {
  it('rumours in any order end in the same view', () => {
    const statuses = fc.constantFrom('alive', 'suspect', 'dead', 'left');
    const rumour = fc.record({
      epoch: fc.integer({ min: 1, max: 3 }),
      counter: fc.nat(2),
      status: statuses,
    });
    const orders = fc
      .array(rumour, { minLength: 2, maxLength: 6 })
      .chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
      );
    fc.assert(
      fc.property(orders, ([some, others]) => {
        const views = [some, others].map((rumours) => {
          const bench = new GossipBench();
          for (const one of rumours) bench.say('b', { items: [rumourOf('a', one)] });
          return bench.viewOf('a');
        });
        expect(views[0]).to.deep.equal(views[1]);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('a suspicion ends in death, sooner with more accusers, unless it is refuted', () => {
    const deathAfter = (accusers: readonly string[], refutesAtMs = Infinity): number => {
      const bench = new GossipBench({ probeIntervalMs: 1_000 });
      for (const name of ['a', 'b', 'c', 'd', 'e']) bench.say(name, { items: [rumourOf(name)] });
      for (const accuser of accusers)
        bench.say(accuser, { items: [rumourOf('a', { status: 'suspect' }, { accuser })] });
      for (let nowMs = 0; nowMs < 60_000; nowMs += 100) {
        bench.nowMs = nowMs;
        if (nowMs >= refutesAtMs) bench.say('a', { items: [rumourOf('a', { counter: 1 })] });
        bench.core.tick(nowMs);
        for (const { frame, to } of bench.sent())
          if (frame.ping) bench.say(to.slice(0, 1), { opening: { ack: frame.ping.sequence } });
        if (bench.statusOf('a') === 'dead') return nowMs;
      }
      return Infinity;
    };
    expect(deathAfter(['b'])).to.equal(24_000);
    expect(deathAfter(['b', 'b', 'b'])).to.equal(24_000);
    expect(deathAfter(['b', 'c', 'd', 'e'])).to.equal(4_000);
    expect(deathAfter(['b', 'c', 'd'], 3_000)).to.equal(Infinity);
  });

  it('a suspicion of an earlier life ends nothing of the next one', () => {
    const bench = new GossipBench();
    bench.tickAt(0);
    for (const name of ['a', 'b']) bench.say(name, { items: [rumourOf(name)] });
    bench.say('b', { items: [rumourOf('a', { status: 'suspect' }, { accuser: 'b' })] });
    bench.say('a', { items: [rumourOf('a', { epoch: 200 })], self: { epoch: 200 } });
    for (let nowMs = 0; nowMs < 30_000; nowMs += 500) {
      bench.tickAt(nowMs);
      for (const { frame, to } of bench.sent())
        if (frame.ping)
          bench.say(to.slice(0, 1), {
            opening: { ack: frame.ping.sequence },
            self: to.startsWith('a') ? { epoch: 200 } : {},
          });
    }
    expect(bench.statusOf('a')).to.equal('alive');
  });

  it('what is said of this node is refuted with a higher counter, and costs health', () => {
    const bench = new GossipBench();
    bench.meet('a');
    bench.say('a', {
      items: [rumourOf('me', { status: 'suspect', counter: 4 }, { accuser: 'b' })],
    });
    expect(bench.viewOf('me')).to.deep.include({ status: 'alive', counter: 5 });
    expect(bench.core.status().healthScore).to.equal(1);
    bench.tickAt(500);
    const told = bench.sent().flatMap(({ frame }) => frame.members);
    expect(told.find(({ record }) => record.nodeId === 'me')?.record.counter).to.equal(5);
  });

  it('a sender that is believed dead is told so, once a probe interval', () => {
    const bench = new GossipBench();
    bench.meet('a', 'b');
    bench.say('b', { items: [rumourOf('a', { status: 'dead' })] });
    bench.core.drain();
    for (let times = 0; times < 10; times++) bench.say('a');
    const told = bench.sent().filter(({ to }) => to === 'a:8000');
    expect(told).to.have.lengthOf(1);
    bench.nowMs += 1_000;
    bench.say('a');
    expect(bench.sent().filter(({ to }) => to === 'a:8000')).to.have.lengthOf(1);
    bench.say('a', { self: { counter: 1 } });
    expect(bench.statusOf('a'), 'its head alone refutes').to.equal('alive');
  });

  it('a death that came by push/pull is only a suspicion', () => {
    const bench = new GossipBench();
    bench.meet('a', 'b');
    const sender = { nodeId: asNodeId('b'), epoch: 100, counter: 0 };
    const request = joinParts([
      encodeOpening(testClusterId, { sender, sync: true }),
      rumourOf('b'),
      rumourOf('a', { status: 'dead' }),
    ]);
    expect(bench.core.serveExchange('b:50000', request, 0)).not.to.equal(null);
    expect(bench.statusOf('a')).to.equal('suspect');
  });

  it('the dead are forgotten after their time, whenever they were first heard of', () => {
    const bench = new GossipBench({ endedRetentionMs: 100_000 });
    bench.say('b', { items: [rumourOf('a', { status: 'dead' }, { endedSeconds: 90 })] });
    bench.say('b', { items: [rumourOf('c', { status: 'left' }, { endedSeconds: 100 })] });
    expect(bench.statusOf('a')).to.equal('dead');
    expect(bench.statusOf('c')).to.equal('unknown');
    bench.tickAt(9_999);
    expect(bench.statusOf('a')).to.equal('dead');
    bench.tickAt(10_000);
    expect(bench.statusOf('a')).to.equal('unknown');
  });

  it('the table is bounded: the living push out the longest dead, never each other', () => {
    const bench = new GossipBench();
    bench.say('b', { items: [rumourOf('old', { status: 'dead' }, { endedSeconds: 50 })] });
    bench.say('b', { items: [rumourOf('new', { status: 'dead' }, { endedSeconds: 10 })] });
    for (let index = 2; index < limits.membersMax; index++)
      bench.say('b', { items: [rumourOf(`x${index}`)] });
    expect(bench.core.members()).to.have.lengthOf(limits.membersMax + 1);
    bench.say('b', { items: [rumourOf('late')] });
    expect([bench.statusOf('old'), bench.statusOf('late')]).to.deep.equal(['unknown', 'alive']);
    bench.say('b', { items: [rumourOf('later')] });
    bench.say('b', { items: [rumourOf('latest')] });
    expect(bench.statusOf('latest')).to.equal('unknown');
    expect(bench.core.members()).to.have.lengthOf(limits.membersMax + 1);
  });

  it('10,000 joins and leaves leave the table at its base after the retention', () => {
    const bench = new GossipBench({ endedRetentionMs: 60_000 });
    for (let index = 0; index < 10_000; index++) {
      bench.nowMs = index * 100;
      bench.say('b', { items: [rumourOf(`x${index}`), rumourOf(`x${index}`, { status: 'left' })] });
      if (index % 100 === 0) bench.tickAt(bench.nowMs);
      bench.core.drain();
    }
    bench.tickAt(10_000 * 100 + 60_000);
    expect(bench.core.members()).to.have.lengthOf(1);
  });
});
