import { expect } from 'chai';
import fc from 'fast-check';

import { RowCache } from '../../../src/storage/engine/row-cache.ts';

describe('RowCache', () => {
  const value = (length: number): Uint8Array => new Uint8Array(length);

  it('set() lets rows go that were not used for half of the bytes', () => {
    const cache = new RowCache(4 * (256 + 1 + 100));
    for (const key of ['a', 'b', 'c']) cache.set(key, value(100));
    cache.get('a');
    for (const key of ['d', 'e']) cache.set(key, value(100));
    const kept = ['a', 'b', 'c', 'd', 'e'].filter((key) => cache.get(key) !== undefined);
    expect(kept).to.include.members(['a', 'd', 'e']);
    expect(kept).to.not.include('b');
  });

  it('set() does not empty the cache for a row that is too large for it', () => {
    const cache = new RowCache(1000);
    cache.set('a', value(10));
    cache.set('b', value(501));
    expect(cache.get('a')?.length).to.equal(10);
    expect(cache.get('b')).to.equal(undefined);
  });

  it('set() stays quick when rows come and go', () => {
    const cache = new RowCache(200_000 * (256 + 7));
    for (let i = 0; i < 400_000; i++) cache.set(String(i).padStart(6, '0'), value(1));
    expect(cache.get('399999')).to.not.equal(undefined);
    expect(cache.get('000000')).to.equal(undefined);
  });

  it('bytes stays within the bound and returns to 0', () => {
    const step = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(600), fc.boolean());
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const cache = new RowCache(1000);
        for (const [key, length, isSet] of steps) {
          if (isSet) cache.set(key, value(length));
          else cache.delete(key);
          expect(cache.bytes).to.be.within(0, 1000);
        }
        for (const key of ['a', 'b', 'c', 'd']) cache.delete(key);
        expect(cache.bytes).to.equal(0);
      }),
    );
  });
});
