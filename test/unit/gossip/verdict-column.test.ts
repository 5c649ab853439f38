import { expect } from 'chai';
import * as fc from 'fast-check';
import { VerdictColumn } from '../../../src/gossip/verdict-column.ts';
import { limits } from '../../../src/gossip/limits.ts';
import { asNodeId, seededRandom } from '../../../src/shared/index.ts';
import type { VerdictSegment } from '../../../src/wire/index.ts';

const owner = asNodeId('n1');

type Reader = Pick<VerdictColumn, 'contiguous' | 'floor'>;

/** What a reader gets when it pulls once. */
function cutOf(from: VerdictColumn, reader: Reader, bytesMax: number): VerdictSegment | null {
  const cut = from.cut(reader, bytesMax);
  if (!cut) return null;
  const { fromExclusive, toInclusive, reset, entries } = cut;
  return { owner, epoch: 1, fromExclusive, toInclusive, reset, entries, floor: from.floor };
}

function pullAll(from: VerdictColumn, reader: VerdictColumn, bytesMax: number): number {
  for (let pulls = 0; ; pulls++) {
    const segment = cutOf(from, reader, bytesMax);
    if (!segment) return pulls;
    if (pulls > 100_000) throw new Error('pulling does not end');
    reader.apply(segment);
  }
}

const live = (column: VerdictColumn): Map<number, string> =>
  new Map(
    [...column.values()]
      .filter(({ verdict }) => verdict !== 'gone')
      .map(({ keyId, verdict, version }) => [keyId, `${verdict}@${version}`] as const)
      .sort(([a], [b]) => a - b),
  );

const entry = (keyId: number, verdict: 'UP' | 'DOWN' | 'gone' = 'UP') =>
  ({ keyId, valueRevision: 1, verdict, samples: [] }) as const;

describe('VerdictColumn', () => {
  it('segments in any order, doubled and lost, then pulls: reader and owner are equal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (seed) => {
        const random = seededRandom(seed);
        const source = new VerdictColumn();
        const reader = new VerdictColumn();
        const relay = new VerdictColumn();
        const underway: VerdictSegment[] = [];
        let flushed = 0;
        for (let step = 0; step < 60; step++) {
          const verdict = (['UP', 'DOWN', 'gone'] as const)[random.intBelow(3)] ?? 'UP';
          source.append(entry(random.intBelow(8), verdict));
          if (random.intBelow(3) > 0) continue;
          const cut = cutOf(source, { contiguous: flushed, floor: 0 }, 1_000);
          if (cut) underway.push(cut);
          flushed = source.contiguous;
          for (const column of [reader, relay]) {
            const late = underway[random.intBelow(underway.length)];
            if (late && random.intBelow(3) > 0) column.apply(late);
          }
        }
        pullAll(source, relay, 1 + random.intBelow(100));
        pullAll(relay, reader, 1 + random.intBelow(100));
        expect(reader.contiguous).to.equal(source.contiguous);
        expect(live(reader)).to.deep.equal(live(source));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('apply() advances over a gap only once it is closed', () => {
    const source = new VerdictColumn();
    const reader = new VerdictColumn();
    const parts: VerdictSegment[] = [];
    for (let keyId = 1; keyId <= 3; keyId++) {
      source.append(entry(keyId));
      const before = { contiguous: keyId - 1, floor: 0 };
      parts.push(cutOf(source, before, 1_000) as VerdictSegment);
    }
    const [first, second, third] = parts as [VerdictSegment, VerdictSegment, VerdictSegment];
    expect(reader.apply(third)).to.have.lengthOf(1);
    expect(reader.contiguous).to.equal(0);
    reader.apply(first);
    expect(reader.contiguous).to.equal(1);
    reader.apply(second);
    expect(reader.contiguous).to.equal(3);
    expect(reader.apply(second)).to.deep.equal([]);
  });

  it('cut() keeps to its byte budget and always makes progress', () => {
    const source = new VerdictColumn();
    for (let keyId = 1; keyId <= 1_000; keyId++) source.append(entry(keyId));
    expect(source.cut({ contiguous: 0, floor: 0 }, 100)?.entries.length).to.be.within(10, 25);
    expect(source.cut({ contiguous: 0, floor: 0 }, 0)?.entries).to.have.lengthOf(1);
    expect(pullAll(source, new VerdictColumn(), 100)).to.be.within(40, 100);
  });

  it('forgotten tombstones make a reader below the floor start again and drop what is gone', () => {
    const source = new VerdictColumn();
    const reader = new VerdictColumn();
    for (let keyId = 1; keyId <= 20; keyId++) source.append(entry(keyId));
    pullAll(source, reader, 1_000);
    const count = limits.tombstonesPerOwnerMax + 1;
    for (let keyId = 1; keyId <= 10; keyId++) source.append(entry(keyId, 'gone'));
    for (let keyId = 100; keyId < 100 + count; keyId++) {
      source.append(entry(keyId));
      source.append(entry(keyId, 'gone'));
    }
    expect(source.floor).to.be.greaterThan(reader.contiguous);
    pullAll(source, reader, 10_000);
    expect(live(reader)).to.deep.equal(live(source));
    expect(reader.contiguous).to.equal(source.contiguous);
    expect([...source.values()].length).to.be.below(limits.tombstonesPerOwnerMax + 11);
  });

  it('a late packet does not bring back what was forgotten', () => {
    const source = new VerdictColumn();
    const reader = new VerdictColumn();
    source.append(entry(1));
    const late = cutOf(source, new VerdictColumn(), 1_000) as VerdictSegment;
    source.append(entry(1, 'gone'));
    for (let keyId = 100; keyId <= 100 + limits.tombstonesPerOwnerMax; keyId++)
      source.append(entry(keyId, 'gone'));
    pullAll(source, reader, 100_000);
    expect(reader.get(1)).to.equal(undefined);
    expect(reader.apply(late)).to.deep.equal([]);
  });
});
