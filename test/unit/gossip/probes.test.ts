import { expect } from 'chai';
import { asNodeId } from '../../../src/shared/index.ts';
import { encodeOpening } from '../../../src/wire/index.ts';
import { GossipBench, rumourOf } from '../../support/gossip-bench.ts';
import { testClusterId } from '../../support/gossip-cluster.ts';

describe('GossipCore: probes', () => {
  /** Starts a probe and returns its target and sequence. */
  function probe(bench: GossipBench, nowMs: number): { target: string; sequence: number } {
    bench.tickAt(nowMs);
    const ping = bench.sent().find(({ frame }) => frame.ping)?.frame.ping;
    if (!ping) throw new Error('no probe started');
    return ping;
  }

  function benchWithPeers(): GossipBench {
    const bench = new GossipBench();
    bench.tickAt(0);
    bench.meet('a', 'b', 'c', 'd', 'e');
    return bench;
  }

  it('a silent target is asked for by three others and over TCP, then suspected', () => {
    const bench = benchWithPeers();
    const { target, sequence } = probe(bench, 1_000);
    bench.tickAt(1_500);
    const effects = bench.core.drain();
    const exchanges = effects.filter(({ kind }) => kind === 'exchange');
    expect(exchanges.map((one) => one.kind === 'exchange' && one.to)).to.include(`${target}:8000`);
    bench.tickAt(2_000);
    expect(bench.statusOf(target)).to.equal('suspect');
    expect(bench.core.status().healthScore).to.equal(3);
    bench.say('a', { opening: { ack: sequence } });
    expect(bench.statusOf(target), 'a late ack refutes nothing').to.equal('suspect');
  });

  it('ping requests name the target, go to others, and their nacks keep the score at 0', () => {
    const bench = benchWithPeers();
    const { target, sequence } = probe(bench, 1_000);
    bench.tickAt(1_500);
    const helpers = bench.sent().filter(({ frame }) => frame.pingRequest);
    expect(helpers).to.have.lengthOf(3);
    for (const { to, frame } of helpers) {
      expect(frame.pingRequest).to.deep.equal({ sequence, target });
      expect(to).not.to.equal(`${target}:8000`);
      bench.say(to.slice(0, 1), { opening: { nack: sequence } });
    }
    bench.tickAt(2_000);
    expect(bench.statusOf(target)).to.equal('suspect');
    expect(bench.core.status().healthScore).to.equal(0);
  });

  it('an ack by any way ends the probe', () => {
    for (const way of ['direct', 'helper', 'exchange'] as const) {
      const bench = benchWithPeers();
      const { target, sequence } = probe(bench, 1_000);
      if (way === 'direct') bench.say(target, { opening: { ack: sequence } });
      bench.tickAt(1_500);
      const [exchange] = bench.effects('exchange').filter(({ to }) => to === `${target}:8000`);
      if (way === 'helper') bench.say('z', { opening: { ack: sequence } });
      if (way === 'exchange' && exchange) {
        const sender = { nodeId: asNodeId(target), epoch: 100, counter: 0 };
        const answer = encodeOpening(testClusterId, { sender, ack: sequence });
        bench.core.exchangeEnded(exchange.id, answer, 1_600);
      }
      bench.tickAt(2_000);
      expect(bench.statusOf(target), way).to.equal('alive');
    }
  });

  it('sendFailed() for the target asks others at once', () => {
    const bench = benchWithPeers();
    const { target } = probe(bench, 1_000);
    bench.core.sendFailed(`${target}:8000`, 1_001);
    expect(bench.sent().filter(({ frame }) => frame.pingRequest)).to.have.lengthOf(3);
  });

  it('at the highest score at most one probe is in flight and it waits eight intervals', () => {
    const bench = benchWithPeers();
    bench.core.noteLag(3_000, 500);
    bench.core.noteLag(4_000, 500);
    expect(bench.core.status().healthScore).to.equal(7);
    const { target } = probe(bench, 1_000);
    const pings: string[] = [];
    for (let nowMs = 1_100; nowMs < 9_000; nowMs += 100) {
      bench.tickAt(nowMs);
      for (const { frame } of bench.sent()) if (frame.ping) pings.push(frame.ping.target);
      expect(bench.statusOf(target)).to.equal('alive');
    }
    expect(pings).to.deep.equal([]);
    bench.tickAt(9_000);
    expect(bench.statusOf(target)).to.equal('suspect');
  });

  it('a ping is answered to where it came from, one for another name is not', () => {
    const bench = benchWithPeers();
    bench.core.receive(
      '10.1.1.1:4444',
      encodeOpening(testClusterId, {
        sender: { nodeId: asNodeId('a'), epoch: 100, counter: 0 },
        ping: { sequence: 77, target: asNodeId('me') },
      }),
      0,
    );
    const [ack] = bench.sent();
    expect(ack?.to).to.equal('10.1.1.1:4444');
    expect(ack?.frame.ack).to.equal(77);
    bench.say('a', { opening: { ping: { sequence: 78, target: asNodeId('other') } } });
    expect(bench.sent()).to.deep.equal([]);
  });

  it('a helper passes the ack on, says nack when there is none, and probes no strangers', () => {
    const bench = benchWithPeers();
    bench.say('a', { opening: { pingRequest: { sequence: 5, target: asNodeId('b') } } });
    const [relayed] = bench.sent();
    expect(relayed?.to).to.equal('b:8000');
    bench.say('b', { opening: { ack: relayed?.frame.ping?.sequence ?? 0 } });
    expect(bench.sent().map(({ to, frame }) => [to, frame.ack])).to.deep.equal([['a:8000', 5]]);
    bench.say('a', { opening: { pingRequest: { sequence: 6, target: asNodeId('b') } } });
    bench.core.drain();
    bench.tickAt(400);
    const nacks = bench.sent().filter(({ frame }) => frame.nack === 6);
    expect(nacks.map(({ to }) => to)).to.deep.equal(['a:8000']);
    bench.say('a', { opening: { pingRequest: { sequence: 7, target: asNodeId('stranger') } } });
    expect(bench.sent().map(({ to, frame }) => [to, frame.nack])).to.deep.equal([['a:8000', 7]]);
  });

  it('a probe tells a suspect that it is one', () => {
    const bench = new GossipBench();
    bench.tickAt(0);
    bench.meet('a', 'b');
    bench.say('b', { items: [rumourOf('a', { status: 'suspect' }, { accuser: 'b' })] });
    bench.tickAt(10);
    const ping = bench.sent().find(({ frame }) => frame.ping?.target === 'a');
    expect(ping?.frame.members.some(({ record }) => record.status === 'suspect')).to.equal(true);
  });

  it('noteLag() gives a probe and a suspicion the time in which this process did not run', () => {
    const bench = benchWithPeers();
    const { target } = probe(bench, 1_000);
    const suspect = target === 'a' ? 'b' : 'a';
    bench.say('c', { items: [rumourOf(suspect, { status: 'suspect' }, { accuser: 'c' })] });
    const lagMs = 60_000;
    bench.core.noteLag(lagMs, 1_400 + lagMs);
    bench.tickAt(1_400 + lagMs);
    bench.tickAt(1_999 + lagMs);
    expect(bench.statusOf(target)).to.equal('alive');
    bench.tickAt(2_000 + lagMs);
    expect(bench.statusOf(target)).to.equal('suspect');
    expect(bench.statusOf(suspect)).to.equal('suspect');
  });
});
