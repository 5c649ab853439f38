import { expect } from 'chai';
import { decide, noActivity, reconsider } from '../../../src/health/index.ts';
import type { Activity, DecideInput, Decision } from '../../../src/health/index.ts';
import { asRevision } from '../../../src/shared/index.ts';
import { ballots, input, keyState, nodeName, settings, told } from './support.ts';

const down = ballots('DOWN', 'DOWN');

/** Decides again and again, each time with the hold of the decision before. */
function follow(steps: readonly Partial<DecideInput>[]): readonly Decision[] {
  const decisions: Decision[] = [];
  for (const step of steps) {
    const hold = decisions.at(-1)?.hold ?? input().hold;
    decisions.push(decide(input({ hold, ...step })));
  }
  return decisions;
}

const last = (steps: readonly Partial<DecideInput>[]): Decision => {
  const decision = follow(steps).at(-1);
  if (!decision) throw new Error('no step');
  return decision;
};

describe('decide() on eventHold', () => {
  it('waits until an agreement has lasted, then it is an event', () => {
    const [first, second, third] = follow([
      { ballots: down, nowMs: 1_000 },
      { ballots: down, nowMs: 30_999 },
      { ballots: down, nowMs: 31_000 },
    ]);
    expect(first && told(first)).to.equal('waiting DOWN');
    expect(first?.reason).to.include('it must last 30000 ms more');
    expect(first?.nextCheckInMs).to.equal(30_000);
    expect(second?.nextCheckInMs).to.equal(1);
    expect(third && told(third)).to.equal('event UP>DOWN');
  });

  it('starts again when the agreement broke in between', () => {
    const broken = last([
      { ballots: down, nowMs: 1_000 },
      { ballots: ballots('DOWN', 'UP'), nowMs: 20_000 },
      { ballots: down, nowMs: 31_000 },
    ]);
    expect(told(broken)).to.equal('waiting DOWN');
    expect(broken.nextCheckInMs).to.equal(30_000);
  });

  it('starts again for another value', () => {
    const other = asRevision(41);
    const judged = down.map((ballot) => ({ ...ballot, valueRevision: other }));
    const decision = last([
      { ballots: down, nowMs: 1_000 },
      { ballots: judged, key: keyState({ valueRevision: other }), nowMs: 31_000 },
    ]);
    expect(told(decision)).to.equal('waiting DOWN');
  });

  it('does not reach back over a stall of this process', () => {
    const decision = last([
      { ballots: down, nowMs: 1_000 },
      {
        ballots: down,
        nowMs: 31_000,
        self: { node: nodeName(3), abstains: true, stalledAtMs: 30_000 },
      },
    ]);
    expect(told(decision)).to.equal('waiting DOWN');
    expect(decision.nextCheckInMs).to.equal(29_000);
  });

  it('looks again when a vote grows stale, so that no lapse goes unseen', () => {
    const decision = decide(input({ ballots: down, nowMs: 80_000 }));
    expect(decision.nextCheckInMs).to.equal(6_001);
    const later = last([
      { ballots: down, nowMs: 80_000 },
      { ballots: down, nowMs: 86_001 },
    ]);
    expect(told(later)).to.equal('none');
    expect(later.hold.availability).to.equal(null);
  });

  it('lets emptiness ripen while a flip is not agreed', () => {
    const empties = ballots('EMPTY', 'EMPTY');
    const decision = last([
      { ballots: empties, nowMs: 1_000 },
      { ballots: empties, nowMs: 31_000 },
    ]);
    expect(told(decision)).to.equal('event UP>EMPTY');
  });
});

describe('decide() on notifications', () => {
  const withActivity = (availability: Activity, nowMs = 1_000): DecideInput =>
    input({
      ballots: down,
      nowMs,
      settings: settings({ eventHoldMs: 0 }),
      activity: { availability, emptiness: noActivity },
    });

  it('waits for one that is pending or running, however long', () => {
    const open = { eventId: asRevision(9), state: 'running' } as const;
    const decision = decide(withActivity({ ...noActivity, open }));
    expect(told(decision)).to.equal('waiting DOWN');
    expect(decision.reason).to.include('the notification of event 9 is running');
    expect(decision.nextCheckInMs, 'the first vote that grows stale').to.equal(85_001);
  });

  it('waits out the interval since the last one of its kind ended', () => {
    const ended = { ...noActivity, endedAtMs: 900 };
    const decision = decide(withActivity(ended, 1_000));
    expect(told(decision)).to.equal('waiting DOWN');
    expect(decision.nextCheckInMs).to.equal(59_900);
    expect(told(decide(withActivity(ended, 60_900)))).to.equal('event UP>DOWN');
  });

  it('waits for the longer of hold and interval and names both', () => {
    const activity = { availability: { ...noActivity, endedAtMs: 900 }, emptiness: noActivity };
    const decision = decide(input({ ballots: down, activity }));
    expect(decision.reason).to.match(/it must last 30000 ms more, the interval .* 59900 ms more$/);
    expect(decision.nextCheckInMs).to.equal(59_900);
  });

  it('lets the opposite of a superseded event follow at once', () => {
    const key = keyState({ baseline: 'DOWN' });
    const superseded = (to: 'UP' | 'DOWN'): DecideInput['activity'] => ({
      availability: { open: null, endedAtMs: 999, superseded: to },
      emptiness: noActivity,
    });
    const up = ballots('UP', 'UP');
    const follows = decide(input({ key, ballots: up, activity: superseded('DOWN') }));
    expect(told(follows)).to.equal('event DOWN>UP');
    const unrelated = decide(input({ key, ballots: up, activity: superseded('UP') }));
    expect(told(unrelated)).to.equal('waiting UP');
  });
});

describe('reconsider()', () => {
  it('is superseded only when the opposite is agreed on', () => {
    const key = keyState({ baseline: 'DOWN', lastAvailabilityEvent: asRevision(90) });
    const event = { to: 'DOWN' } as const;
    const verdict = (votes: DecideInput['ballots']): string =>
      reconsider(event, input({ key, ballots: votes })).verdict;
    expect(verdict(ballots('UP', 'UP'))).to.equal('superseded');
    expect(verdict(ballots('UP', 'DOWN'))).to.equal('run');
    expect(verdict(ballots('EMPTY', 'EMPTY'))).to.equal('run');
    expect(verdict([])).to.equal('run');
  });

  it('does not count what was seen before the event', () => {
    const key = keyState({ baseline: 'DOWN', lastAvailabilityEvent: asRevision(101) });
    const { verdict } = reconsider({ to: 'DOWN' }, input({ key, ballots: ballots('UP', 'UP') }));
    expect(verdict).to.equal('run');
  });

  it('holds EMPTY against EMPTY_RECOVER', () => {
    const key = keyState({ empty: true });
    const mixed = input({ key, ballots: ballots('UP', 'NO_EMPTY_IN_SAMPLES') });
    expect(reconsider({ to: 'EMPTY' }, mixed).verdict).to.equal('superseded');
    const empties = input({ key, ballots: ballots('EMPTY', 'EMPTY') });
    expect(reconsider({ to: 'EMPTY_RECOVER' }, empties).verdict).to.equal('superseded');
    expect(reconsider({ to: 'EMPTY' }, empties).verdict).to.equal('run');
  });
});
