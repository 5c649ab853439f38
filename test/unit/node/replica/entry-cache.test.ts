import { expect } from 'chai';
import fc from 'fast-check';
import { EntryCache } from '../../../../src/node/replica/entry-cache.ts';
import type { Entry } from '../../../../src/raft/index.ts';
import { asIndex } from '../../../../src/shared/index.ts';
import { entry } from '../../../support/raft-fixtures.ts';

const range = (cache: EntryCache, from: number, to: number): readonly Entry[] | null =>
  cache.range(asIndex(from), asIndex(to));

describe('EntryCache', () => {
  it('EntryCache gives what the log holds, or nothing', () => {
    const step = fc.record({
      back: fc.integer({ min: -2, max: 8 }),
      count: fc.nat(4),
      size: fc.nat(300),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(4_000), (steps, bytesMax) => {
        const cache = new EntryCache(bytesMax);
        let log: Entry[] = [];
        for (const [term, { back, count, size }] of steps.entries()) {
          // A negative step back leaves a gap, as after an installed snapshot.
          const first = Math.max(1, (log.at(-1)?.index ?? 0) + 1 - back);
          const added = Array.from({ length: count }, (_, i) =>
            entry(first + i, term + 1, 'x'.repeat(size)),
          );
          cache.put(added);
          if (count === 0) continue;
          const kept = log.filter(({ index }) => index < first);
          log = kept.at(-1)?.index === first - 1 ? [...kept, ...added] : added;
          const last = log.at(-1)?.index ?? 0;
          expect(range(cache, last, last), 'the newest stays').to.deep.equal(log.slice(-1));
          for (let from = Math.max(1, last - 12); from <= last; from++) {
            const found = range(cache, from, last);
            if (found !== null)
              expect(found).to.deep.equal(log.filter(({ index }) => index >= from));
          }
          expect(range(cache, last, last + 1)).to.equal(null);
        }
      }),
    );
  });

  it('EntryCache drops the oldest beyond its bytes', () => {
    const cache = new EntryCache(1_000);
    for (let i = 1; i <= 10; i++) cache.put([entry(i, 1, 'x'.repeat(104))]);
    expect(range(cache, 6, 10)?.map(({ index }) => index)).to.deep.equal([6, 7, 8, 9, 10]);
    expect(range(cache, 5, 10)).to.equal(null);
  });

  it('EntryCache holds on to nothing that it dropped', function () {
    if (globalThis.gc === undefined) this.skip();
    const cache = new EntryCache(1);
    const dropped = new WeakRef(entry(1, 1));
    const first = dropped.deref();
    if (first) cache.put([first]);
    cache.put([entry(2, 1)]);
    globalThis.gc();
    expect(dropped.deref()).to.equal(undefined);
  });

  it('EntryCache is empty after clear, and begins anywhere', () => {
    const cache = new EntryCache(1_000);
    cache.put([entry(1, 1), entry(2, 1)]);
    cache.clear();
    expect(range(cache, 1, 1)).to.equal(null);
    cache.put([entry(50, 2)]);
    expect(range(cache, 50, 50)).to.deep.equal([entry(50, 2)]);
  });
});
