import { expect } from 'chai';
import fc from 'fast-check';

import { codeOf, utf8 } from '../../../src/shared/index.ts';
import { seal, unseal } from '../../../src/storage/engine/sealed-row.ts';

describe('sealed rows', () => {
  const bytes = fc.uint8Array({ maxLength: 100 });

  const codeFrom = (action: () => unknown): unknown => {
    try {
      action();
      return 'no error';
    } catch (error) {
      return codeOf(error);
    }
  };

  it('unseal() gives back what seal() took', () => {
    fc.assert(
      fc.property(bytes, bytes, (row, value) => {
        expect([...unseal(row, seal(row, value))]).to.deep.equal([...value]);
      }),
    );
  });

  it('unseal() finds every flipped bit', () => {
    fc.assert(
      fc.property(bytes, bytes, fc.nat(), fc.nat(7), (row, value, at, bit) => {
        const sealed = seal(row, value);
        const position = at % sealed.length;
        sealed[position] = (sealed[position] ?? 0) ^ (1 << bit);
        expect(codeFrom(() => unseal(row, sealed))).to.equal('STORAGE_DAMAGED');
      }),
    );
  });

  it('unseal() finds a value that is too short or under another row', () => {
    const sealed = seal(utf8('row'), utf8('value'));
    for (const length of [0, 3, 4, 8]) {
      const cut = sealed.subarray(0, length);
      expect(codeFrom(() => unseal(utf8('row'), cut))).to.equal('STORAGE_DAMAGED');
    }
    expect(codeFrom(() => unseal(utf8('rov'), sealed))).to.equal('STORAGE_DAMAGED');
  });
});
