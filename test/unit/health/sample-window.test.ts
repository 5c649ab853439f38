import { expect } from 'chai';
import fc from 'fast-check';
import { reportBasis, SampleWindow, verdictOf } from '../../../src/health/index.ts';
import type { Sample } from '../../../src/health/index.ts';
import { asRevision } from '../../../src/shared/index.ts';
import type { SampleStatus } from '../../../src/shared/index.ts';

const sample = (status: SampleStatus, basis = 1): Sample => ({
  status,
  atMs: 0,
  startedAtBasis: asRevision(basis),
  detail: '',
});
const open = (): SampleWindow => new SampleWindow({ window: 5, samples: 3 }, asRevision(1));
const fill = (window: SampleWindow, text: string): SampleWindow => {
  const statuses = { U: 'UP', D: 'DOWN', E: 'EMPTY' } as const;
  for (const letter of text) window.add(sample(statuses[letter as 'U']), window.valueRevision);
  return window;
};

describe('SampleWindow', () => {
  const cases = {
    '': 'LESS_THAN_MINSAMPLE',
    UU: 'LESS_THAN_MINSAMPLE',
    UUU: 'UP',
    DDD: 'DOWN',
    EEE: 'EMPTY',
    UUE: 'NOT_FILL_SAMPLES',
    EUD: 'NOT_FILL_SAMPLES',
    UDU: 'NO_EMPTY_IN_SAMPLES',
    EUUU: 'UP',
    UUUDD: 'NO_EMPTY_IN_SAMPLES',
    UUDDD: 'DOWN',
    EEUDD: 'NO_EMPTY_IN_SAMPLES',
  };
  for (const [text, verdict] of Object.entries(cases)) {
    it(`verdict of '${text}' is ${verdict}`, () => {
      expect(fill(open(), text).verdict).to.equal(verdict);
    });
  }

  it('add() keeps the last samples only, oldest first', () => {
    const window = fill(open(), 'DDDDUUE');
    expect(window.samples).to.deep.equal(['DOWN', 'DOWN', 'UP', 'UP', 'EMPTY']);
  });

  it('valueIs() starts again for other bytes and changes nothing for the same', () => {
    const window = fill(open(), 'DDD');
    window.valueIs(asRevision(1));
    expect(window.verdict).to.equal('DOWN');
    window.valueIs(asRevision(7));
    expect(window.verdict).to.equal('LESS_THAN_MINSAMPLE');
    expect(window.samples).to.deep.equal([]);
  });

  it('add() drops the sample of a value that is gone and starts again with that of a newer one', () => {
    const window = fill(open(), 'DDD');
    expect(window.add(sample('UP'), asRevision(2))).to.equal(true);
    expect(window.samples).to.deep.equal(['UP']);
    expect(window.add(sample('DOWN'), asRevision(1))).to.equal(false);
    expect(window.samples).to.deep.equal(['UP']);
  });

  it('verdictOf() is a status only when the last samples agree on it', () => {
    const status = fc.constantFrom<SampleStatus>('UP', 'DOWN', 'EMPTY');
    fc.assert(
      fc.property(
        fc.array(status, { maxLength: 9 }),
        fc.integer({ min: 1, max: 5 }),
        (all, min) => {
          const verdict = verdictOf(all, min);
          const last = all.slice(-min);
          const unanimous = last.length === min && new Set(last).size === 1;
          expect(['UP', 'DOWN', 'EMPTY'].includes(verdict)).to.equal(unanimous);
          if (unanimous) expect(verdict).to.equal(last[0]);
        },
      ),
      { seed: 1 },
    );
  });
});

describe('reportBasis()', () => {
  it('is where the oldest of the newest samples began', () => {
    const [a, b, none] = [open(), open(), open()];
    a.add(sample('UP', 3), asRevision(1));
    a.add(sample('UP', 9), asRevision(1));
    b.add(sample('UP', 7), asRevision(1));
    expect(reportBasis([a, b, none], asRevision(12))).to.equal(7);
    expect(reportBasis([none], asRevision(12))).to.equal(12);
  });
});
