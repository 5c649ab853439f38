import { expect } from 'chai';
import fc from 'fast-check';

import { RowCache } from '../../../src/storage/engine/row-cache.ts';

describe('RowCache', () => {
  const value = (length: number): Uint8Array => new Uint8Array(length);

  it('set() lets the least recently used row go', () => {
    const cache = new RowCache(3 * (128 + 1 + 100));
    for (const key of ['a', 'b', 'c']) cache.set(key, value(100));
    cache.get('a');
    cache.set('d', value(100));
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key)?.length)).to.deep.equal([
      100,
      undefined,
      100,
      100,
    ]);
  });

  it('set() does not empty the cache for a row that is larger than all of it', () => {
    const cache = new RowCache(1000);
    cache.set('a', value(10));
    cache.set('b', value(1001));
    expect(cache.get('a')?.length).to.equal(10);
    expect(cache.get('b')).to.equal(undefined);
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
