import { expect } from 'chai';
import fc from 'fast-check';
import { rfc3339 } from '../../../src/shared/index.ts';

describe('rfc3339', () => {
  it('rfc3339 says what Date says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
        expect(rfc3339(ms)).to.equal(new Date(ms).toISOString());
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it('rfc3339 knows the ends of months and leap years', () => {
    for (let day = 0; day < 366 * 450; day += 1) {
      const ms = day * 86_400_000 + 86_399_999;
      if (rfc3339(ms) !== new Date(ms).toISOString()) expect.fail(rfc3339(ms));
    }
  });

  it('rfc3339 keeps to four digits of a year', () => {
    expect(rfc3339(-1)).to.equal('1970-01-01T00:00:00.000Z');
    expect(rfc3339(Number.MAX_SAFE_INTEGER)).to.equal('9999-12-31T23:59:59.999Z');
    expect(rfc3339(0.9)).to.equal('1970-01-01T00:00:00.000Z');
  });
});
