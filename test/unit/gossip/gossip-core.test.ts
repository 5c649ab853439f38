import { expect } from 'chai';
import * as fc from 'fast-check';
import { GossipCore, gossipSettingsFor } from '../../../src/gossip/index.ts';
import { asClusterId, asNodeId, codeOf, seededRandom } from '../../../src/shared/index.ts';
import { encodeOpening, encodeReport, encodeSegment, joinParts } from '../../../src/wire/index.ts';
import { GossipBench, recordNamed, rumourOf } from '../../support/gossip-bench.ts';
import { testClusterId } from '../../support/gossip-cluster.ts';

describe('GossipCore: input', () => {
  it('frames of another cluster, random bytes and own echoes change nothing', () => {
    const bench = new GossipBench();
    bench.meet('a');
    const before = JSON.stringify(bench.core.members());
    const deadline = bench.core.nextDeadlineMs();
    bench.say('b', { clusterId: asClusterId('ff'.repeat(16)), items: [rumourOf('b')] });
    bench.say('me', { items: [rumourOf('b')] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        bench.core.receive('x:1', bytes, 0);
        expect(bench.core.serveExchange('x:1', bytes, 0)).to.equal(null);
      }),
      { seed: 1, numRuns: 2_000 },
    );
    expect(JSON.stringify(bench.core.members())).to.equal(before);
    expect(bench.core.nextDeadlineMs()).to.equal(deadline);
    expect(bench.core.drain()).to.deep.equal([]);
  });

  it('mutated frames never throw', () => {
    const bench = new GossipBench();
    bench.meet('a', 'b');
    const sender = { nodeId: asNodeId('a'), epoch: 100, counter: 0 };
    const valid = joinParts([
      encodeOpening(testClusterId, {
        sender,
        sync: true,
        ping: { sequence: 3, target: asNodeId('me') },
      }),
      rumourOf('a', { status: 'suspect' }),
      rumourOf('me', { status: 'dead' }),
      encodeSegment({
        owner: asNodeId('a'),
        epoch: 100,
        fromExclusive: 0,
        toInclusive: 2,
        floor: 0,
        reset: true,
        entries: [{ keyId: 1, version: 2, valueRevision: 1, verdict: 'UP', samples: ['UP'] }],
      }),
      encodeReport({
        owner: asNodeId('b'),
        epoch: 100,
        number: 1,
        maxVersion: 0,
        basis: 0,
        overdue: [1],
      }),
    ]);
    const places = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 5 });
    fc.assert(
      fc.property(places, (changes) => {
        const bytes = valid.slice();
        for (const [place, value] of changes) bytes[place] = value;
        bench.core.receive('x:1', bytes, bench.nowMs);
        bench.core.serveExchange('x:1', bytes, bench.nowMs);
        bench.core.tick((bench.nowMs += 10));
        bench.core.drain();
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it('only the owner writes its verdicts: those told of this node are ignored', () => {
    const bench = new GossipBench();
    bench.meet('a');
    const segment = {
      owner: asNodeId('me'),
      epoch: 100,
      fromExclusive: 0,
      toInclusive: 1,
      floor: 0,
      reset: false,
      entries: [{ keyId: 1, version: 1, valueRevision: 1, verdict: 'UP', samples: [] }],
    } as const;
    bench.say('a', { items: [encodeSegment(segment)] });
    expect(bench.effects('verdict')).to.deep.equal([]);
    bench.say('a', { items: [encodeSegment({ ...segment, owner: asNodeId('a') })] });
    expect(bench.effects('verdict').map(({ owner }) => owner)).to.deep.equal(['a']);
  });

  it('GossipCore refuses texts that no peer would accept', () => {
    const make = (self: Parameters<typeof recordNamed>[1]): string => {
      try {
        const init = { clusterId: testClusterId, settings: gossipSettingsFor('lan') };
        new GossipCore({ ...init, self: recordNamed('me', self), random: seededRandom(1) });
        return 'none';
      } catch (error) {
        return codeOf(error) ?? String(error);
      }
    };
    expect(make({})).to.equal('none');
    expect(make({ zone: 'z'.repeat(65) })).to.equal('CONFIG_INVALID');
    expect(make({ address: '' })).to.equal('CONFIG_INVALID');
    expect(make({ epoch: -1 })).to.equal('CONFIG_INVALID');
  });
});
