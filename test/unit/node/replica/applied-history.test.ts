import { expect } from 'chai';
import fc from 'fast-check';
import { AppliedHistory } from '../../../../src/node/replica/applied-history.ts';
import type { IndexedConfiguration, LogBase } from '../../../../src/raft/index.ts';
import { asIndex, asTerm } from '../../../../src/shared/index.ts';
import { configurationOf, entry } from '../../../support/raft-fixtures.ts';

const base = (index: number, term: number): LogBase => ({
  index: asIndex(index),
  term: asTerm(term),
  configuration: { index: asIndex(0), configuration: configurationOf('a') },
});

/** A log from index 1: the term of each entry, and whether it carries a configuration. */
const logs = fc
  .array(fc.record({ grows: fc.nat(2), configures: fc.boolean() }), { minLength: 1, maxLength: 40 })
  .map((steps) => {
    let term = 1;
    return steps.map(({ grows, configures }) => ({ term: (term += grows), configures }));
  });

type Log = readonly { readonly term: number; readonly configures: boolean }[];

const configurationAt = (index: number): IndexedConfiguration => ({
  index: asIndex(index),
  configuration: configurationOf(`a b${index}`),
});

const record = (history: AppliedHistory, log: Log, index: number): void => {
  const one = log[index - 1];
  if (one) history.record(entry(index, one.term), one.configures ? configurationAt(index) : null);
};

/** The base at `index` by the definition. */
function wanted(log: Log, index: number): LogBase {
  const at = log.slice(0, index).findLastIndex(({ configures }) => configures) + 1;
  const configuration = at > 0 ? configurationAt(at) : base(0, 0).configuration;
  return { index: asIndex(index), term: asTerm(log[index - 1]?.term ?? 0), configuration };
}

const recovered = (log: Log, upTo: number) => ({
  base: base(0, 0),
  termRuns: log.slice(0, upTo).flatMap(({ term }, i) => {
    if (log[i - 1]?.term === term) return [];
    return [{ term: asTerm(term), firstIndex: asIndex(i + 1) }];
  }),
  configurations: log
    .slice(0, upTo)
    .flatMap(({ configures }, i) => (configures ? [configurationAt(i + 1)] : [])),
});

describe('AppliedHistory', () => {
  it('AppliedHistory names term and configuration at every applied index', () => {
    fc.assert(
      fc.property(logs, (log) => {
        const history = new AppliedHistory(recovered([], 0));
        for (let index = 1; index <= log.length; index++) {
          record(history, log, index);
          for (let at = 1; at <= index; at++) {
            expect(history.baseAt(asIndex(at))).to.deep.equal(wanted(log, at));
          }
        }
      }),
    );
  });

  it('AppliedHistory takes what was recovered and truncated since for nothing', () => {
    fc.assert(
      fc.property(logs, logs, fc.nat(40), (before, after, shared) => {
        const common = Math.min(shared, before.length);
        const lastTerm = before[common - 1]?.term ?? 0;
        const tail = after.map((one) => ({ ...one, term: one.term + lastTerm + 1 }));
        const log = [...before.slice(0, common), ...tail];
        const history = new AppliedHistory(recovered(before, before.length));
        for (let index = common + 1; index <= log.length; index++) record(history, log, index);
        for (let at = 1; at <= log.length; at++) {
          expect(history.baseAt(asIndex(at))).to.deep.equal(wanted(log, at));
        }
      }),
    );
  });

  it('AppliedHistory forgets what lies below a new base, and nothing above', () => {
    fc.assert(
      fc.property(logs, fc.nat(40), (log, cut) => {
        const history = new AppliedHistory(recovered([], 0));
        for (let index = 1; index <= log.length; index++) record(history, log, index);
        const index = asIndex(Math.min(Math.max(1, cut), log.length));
        history.rebase(history.baseAt(index));
        for (let at: number = index; at <= log.length; at++) {
          expect(history.baseAt(asIndex(at))).to.deep.equal(wanted(log, at));
        }
        expect(() => history.baseAt(asIndex(index - 1))).to.throw('at or above the base');
      }),
    );
  });

  it('AppliedHistory begins again at an installed snapshot', () => {
    const history = new AppliedHistory(recovered([{ term: 1, configures: true }], 1));
    history.reset(base(100, 7));
    history.record(entry(101, 7), null);
    expect(history.baseAt(asIndex(101))).to.deep.equal({ ...base(101, 7) });
    history.record(entry(102, 9), configurationAt(102));
    expect(history.baseAt(asIndex(102))).to.deep.equal({
      ...base(102, 9),
      configuration: configurationAt(102),
    });
  });
});
