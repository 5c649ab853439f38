import { expect } from 'chai';
import fc from 'fast-check';
import { RaftLog } from '../../../src/raft/log.ts';
import type { LogBase } from '../../../src/raft/index.ts';
import { asIndex, asTerm } from '../../../src/shared/index.ts';
import { configurationOf, entry } from '../../support/raft-fixtures.ts';

const configuration = { index: asIndex(0), configuration: configurationOf('a') };
const baseAt = (index: number, term: number): LogBase => ({
  index: asIndex(index),
  term: asTerm(term),
  configuration,
});

/** A log above `base` with entries of these terms, all durable. */
function logOf(terms: readonly number[], base = baseAt(0, 0)): RaftLog {
  const log = new RaftLog({ base, termRuns: [], entryBytes: [], lastIndex: base.index });
  for (const term of terms) log.append(entry(log.lastIndex + 1, term));
  log.takeBatch(null);
  log.persisted(log.sequence);
  return log;
}

const ascendingTerms = fc
  .array(fc.nat(2), { minLength: 1, maxLength: 15 })
  .map((steps) =>
    steps.reduce<number[]>((terms, step) => [...terms, (terms.at(-1) ?? 1) + step], []),
  );

describe('RaftLog', () => {
  it('termAt() knows every term from runs, also after truncation and compaction', () => {
    fc.assert(
      fc.property(ascendingTerms, fc.nat(15), fc.nat(15), (terms, cut, base) => {
        const log = logOf(terms);
        const kept = terms.slice(0, Math.max(1, cut));
        if (kept.length < terms.length) log.truncateFrom(asIndex(kept.length + 1));
        const baseIndex = Math.min(base, kept.length);
        if (baseIndex > 0) log.compact(baseAt(baseIndex, kept[baseIndex - 1] ?? 0));
        expect(log.lastIndex).to.equal(kept.length);
        expect(log.lastTerm).to.equal(kept.at(-1));
        for (let index = baseIndex; index <= kept.length; index++) {
          expect(log.termAt(asIndex(index))).to.equal(index === 0 ? 0 : kept[index - 1]);
        }
        expect(log.termAt(asIndex(kept.length + 1))).to.equal(undefined);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('lastNotAbove() finds the same place as a walk down the log', () => {
    fc.assert(
      fc.property(ascendingTerms, fc.nat(18), fc.nat(20), (terms, from, term) => {
        const log = logOf(terms);
        let expected = Math.min(from, terms.length);
        while (expected > 0 && (terms[expected - 1] ?? 0) > term) expected -= 1;
        expect(log.lastNotAbove(asIndex(from), asTerm(term))).to.equal(expected);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it('lastNotAbove() points below the base when the base itself is too new', () => {
    const log = logOf([5, 5], baseAt(10, 5));
    expect(log.lastNotAbove(asIndex(12), asTerm(4))).to.equal(9);
    expect(log.lastNotAbove(asIndex(12), asTerm(5))).to.equal(12);
    expect(log.lastNotAbove(asIndex(7), asTerm(5))).to.equal(7);
  });

  it('isUpToDate() compares terms first and then indexes (Raft 5.4.1)', () => {
    const log = logOf([1, 2, 2]);
    const table: [term: number, index: number, upToDate: boolean][] = [
      [3, 1, true],
      [2, 3, true],
      [2, 4, true],
      [2, 2, false],
      [1, 9, false],
    ];
    for (const [term, index, upToDate] of table) {
      expect(log.isUpToDate(asTerm(term), asIndex(index)), `${index}@${term}`).to.equal(upToDate);
    }
  });

  it('stableIndex counts a late write only up to where the log was truncated meanwhile', () => {
    const log = logOf([1]);
    for (const index of [2, 3, 4]) log.append(entry(index, 1));
    const first = log.takeBatch(null);
    log.truncateFrom(asIndex(3));
    log.append(entry(3, 2));
    const second = log.takeBatch(null);
    log.persisted(first?.sequence ?? 0);
    expect(log.stableIndex).to.equal(2);
    log.persisted(second?.sequence ?? 0);
    expect(log.stableIndex).to.equal(3);
    log.persisted(first?.sequence ?? 0);
    expect(log.stableIndex).to.equal(3);
  });

  it('stableIndex falls when durable entries are truncated', () => {
    const log = logOf([1, 1, 1]);
    log.truncateFrom(asIndex(2));
    expect(log.stableIndex).to.equal(1);
  });

  it('rangeFrom() takes what fits, and one entry at least', () => {
    const log = logOf([]);
    for (const index of [1, 2, 3]) log.append(entry(index, 1, 'x'.repeat(10)));
    expect(log.rangeFrom(asIndex(1), 20)).to.deep.equal({ last: 2, bytes: 20 });
    expect(log.rangeFrom(asIndex(1), 5)).to.deep.equal({ last: 1, bytes: 10 });
    expect(log.rangeFrom(asIndex(2), 1000)).to.deep.equal({ last: 3, bytes: 20 });
  });

  it('reset() forgets entries and what was on its way to the disk', () => {
    const log = logOf([1, 1, 1, 1]);
    log.append(entry(5, 1));
    log.takeBatch(null);
    log.reset(baseAt(3, 4));
    log.persisted(log.sequence);
    expect([log.lastIndex, log.stableIndex, log.lastTerm]).to.deep.equal([3, 3, 4]);
  });
});
