import { expect } from 'chai';
import fc from 'fast-check';
import { phaseOf, Schedule } from '../../../src/health/index.ts';
import type { ScheduleSettings } from '../../../src/health/index.ts';
import { asRevision } from '../../../src/shared/index.ts';
import type { Revision } from '../../../src/shared/index.ts';

const common: ScheduleSettings = { intervalMs: 1_000, timeoutMs: 500, concurrencyMax: 100 };

function open(keyCount: number, difference: Partial<ScheduleSettings> = {}): Schedule {
  const schedule = new Schedule({ ...common, ...difference }, 0);
  for (let key = 1; key <= keyCount; key++) schedule.add(asRevision(key), 0);
  return schedule;
}

/** Starts what is due at each of `times`; every run ends at once. */
function run(schedule: Schedule, times: readonly number[]): readonly (readonly Revision[])[] {
  return times.map((nowMs) => {
    const started = schedule.start(nowMs);
    for (const keyId of started) schedule.finished(keyId, nowMs, true);
    return started;
  });
}

const every = (stepMs: number, untilMs: number): readonly number[] =>
  Array.from({ length: untilMs / stepMs }, (_, at) => (at + 1) * stepMs);

describe('phaseOf()', () => {
  it('spreads neighbouring keys evenly over the interval', () => {
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let key = 1; key <= 10_000; key++) {
      const bucket = Math.floor(phaseOf(asRevision(key), 10_000) / 1_000);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    // Chi-square with 9 degrees of freedom: above 27.9 happens to 1 in 1,000 uniform spreads.
    const chiSquare = buckets.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    expect(chiSquare).to.be.below(27.9);
  });

  it('stays inside the interval for any key', () => {
    const keyId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(keyId, fc.integer({ min: 1, max: 600_000 }), (key, intervalMs) => {
        const phase = phaseOf(asRevision(key), intervalMs);
        expect(phase).to.be.within(0, intervalMs - 1);
      }),
      { seed: 1 },
    );
  });
});

describe('Schedule', () => {
  it('start() runs every key once per interval, at its phase', () => {
    const started = run(open(50), every(10, 3_000));
    const counts = new Map<Revision, number>();
    for (const keyId of started.flat()) counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
    expect(counts.size).to.equal(50);
    expect([...counts.values()].every((count) => count === 3)).to.equal(true);
    started.forEach((keys, at) => {
      for (const keyId of keys) {
        const lateMs = ((at + 1) * 10 - phaseOf(keyId, 1_000) + 1_000) % 1_000;
        expect(lateMs).to.be.below(10);
      }
    });
  });

  it('start() gives each key once after a pause of many intervals', () => {
    const [first] = run(open(20), [60_000]);
    expect(new Set(first).size).to.equal(20);
    expect(first).to.have.lengthOf(20);
  });

  it('start() never runs a key twice at once', () => {
    const schedule = open(1);
    expect(schedule.start(1_000)).to.have.lengthOf(1);
    expect(schedule.start(5_000)).to.deep.equal([]);
    schedule.finished(asRevision(1), 5_000, true);
    expect(schedule.start(5_001), 'not twice in one interval either').to.deep.equal([]);
    expect(schedule.start(6_000)).to.have.lengthOf(1);
  });

  it('start() respects the cap and takes the rest in order as slots come free', () => {
    const schedule = open(10, { concurrencyMax: 3 });
    const first = schedule.start(1_000);
    expect(first).to.have.lengthOf(3);
    expect([schedule.runningCount, schedule.waitingCount]).to.deep.equal([3, 7]);
    expect(schedule.nextDueInMs(1_000)).to.equal(null);
    for (const keyId of first) schedule.finished(keyId, 1_100, true);
    expect(schedule.nextDueInMs(1_100)).to.equal(0);
    const second = schedule.start(1_100);
    expect(second.filter((keyId) => first.includes(keyId))).to.deep.equal([]);
  });

  it('remove() takes a key out; its run holds its slot until it ends', () => {
    const schedule = open(2, { concurrencyMax: 2 });
    schedule.start(1_000);
    schedule.remove(asRevision(1));
    expect([schedule.keyCount, schedule.runningCount]).to.deep.equal([1, 2]);
    schedule.finished(asRevision(1), 1_200, true);
    schedule.finished(asRevision(2), 1_200, true);
    expect(schedule.start(2_000)).to.deep.equal([2]);
  });

  it('overdue() lists keys without a completed sample for too long', () => {
    const schedule = open(2);
    schedule.start(1_000);
    schedule.finished(asRevision(1), 1_000, true);
    schedule.finished(asRevision(2), 1_000, false);
    expect(schedule.overdue(3_000), 'within 2.5 intervals + timeout').to.deep.equal([]);
    expect(schedule.overdue(3_001)).to.deep.equal([2]);
    expect(schedule.overdue(4_001)).to.deep.equal([1, 2]);
    schedule.remove(asRevision(1));
    expect(schedule.isOverdue(asRevision(1), 9_000)).to.equal(false);
  });

  it('nextDueInMs() names a moment at which start() has something, and none before', () => {
    const key = fc.integer({ min: 1, max: 1_000 }).map(asRevision);
    const start = fc.integer({ min: 0, max: 5_000 });
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 8 }), start, (keys, startMs) => {
        const schedule = new Schedule(common, startMs);
        for (const keyId of keys) schedule.add(keyId, startMs);
        const dueInMs = schedule.nextDueInMs(startMs);
        expect(dueInMs).to.be.within(1, 1_000);
        const dueMs = startMs + (dueInMs ?? 0);
        expect(schedule.start(dueMs - 1)).to.deep.equal([]);
        expect(schedule.start(dueMs)).to.not.deep.equal([]);
      }),
      { seed: 1 },
    );
    expect(open(0).nextDueInMs(0)).to.equal(null);
  });
});
