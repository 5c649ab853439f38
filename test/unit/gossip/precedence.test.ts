import { expect } from 'chai';
import * as fc from 'fast-check';
import { comparePrecedence, merge } from '../../../src/gossip/index.ts';
import { asNodeId } from '../../../src/shared/index.ts';
import { recordOf } from '../../support/gossip-arbitraries.ts';

const record = recordOf(asNodeId('n1'));
const seed = 1;

describe('merge', () => {
  it('merge() is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(record, record, record, (a, b, c) => {
        expect(merge(a, b)).to.deep.equal(merge(b, a));
        expect(merge(merge(a, b), c)).to.deep.equal(merge(a, merge(b, c)));
        expect(merge(a, a)).to.deep.equal(a);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it('merge() of any rumours ends the same in every order and never goes back', () => {
    const many = fc.array(record, { minLength: 1, maxLength: 8 });
    const shuffled = many.chain((records) =>
      fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })),
    );
    fc.assert(
      fc.property(shuffled, ([records, others]) => {
        const end = records.reduce(merge);
        expect(others.reduce(merge)).to.deep.equal(end);
        for (const one of records) expect(comparePrecedence(end, one)).to.be.at.least(0);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it('comparePrecedence() puts epoch above counter above status', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const order = comparePrecedence(a, b);
        if (a.epoch !== b.epoch) expect(order > 0).to.equal(a.epoch > b.epoch);
        else if (a.counter !== b.counter) expect(order > 0).to.equal(a.counter > b.counter);
      }),
      { seed },
    );
  });

  it('merge() at equal counters takes the worse status, left above dead', () => {
    const statuses = ['alive', 'suspect', 'dead', 'left'] as const;
    for (const any of fc.sample(record, { seed, numRuns: 20 })) {
      const ranked = statuses.map((status) => ({ ...any, status }));
      for (const [index, one] of ranked.entries())
        for (const other of ranked.slice(index + 1)) expect(merge(one, other)).to.equal(other);
    }
  });
});
