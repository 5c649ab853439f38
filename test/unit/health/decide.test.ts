import { expect } from 'chai';
import { decide, noActivity, noHold } from '../../../src/health/index.ts';
import type { DecideInput, Decision } from '../../../src/health/index.ts';
import { asNodeId, asRevision } from '../../../src/shared/index.ts';
import {
  ballot,
  ballots,
  input,
  keyState,
  membersIn,
  nodeName,
  noZones,
  settings,
  told,
  valueRevision,
} from './support.ts';

const atOnce = settings({ eventHoldMs: 0 });

/** Why the vote of node `number` was not counted; '' when it was. */
const why = (decision: Decision, number: number): string =>
  decision.evidence.votes.find((vote) => vote.node === nodeName(number))?.why ?? 'no member';

/** Decides with n3 as given and n1, n2 saying DOWN: three of four must agree. */
const thirdVote = (difference: Partial<DecideInput>): Decision =>
  decide(input({ members: noZones(4), settings: atOnce, ...difference }));

describe('decide() on votes', () => {
  const down = ballots('DOWN', 'DOWN');

  it('counts a vote as long as its report is fresh, and not a millisecond longer', () => {
    const all = ballots('DOWN', 'DOWN', 'DOWN');
    expect(told(thirdVote({ ballots: all, nowMs: 86_000 }))).to.equal('event UP>DOWN');
    const stale = thirdVote({ ballots: all, nowMs: 86_001 });
    expect(told(stale)).to.equal('none');
    expect(why(stale, 3)).to.equal('its last report is 85001 ms old, the limit is 85000 ms');
  });

  it('counts no vote without a report, on an overdue key or on another value', () => {
    const report = { basis: asRevision(100), receivedAtMs: 1_000, freshSinceMs: 0, overdue: true };
    const cases = [
      [ballot(3, 'DOWN', { report: null }), 'no report heard since it started'],
      [ballot(3, 'DOWN', { report }), 'its last run for this key is overdue'],
      [ballot(3, 'DOWN', { valueRevision: asRevision(39) }), 'judged value revision 39, not 40'],
    ] as const;
    for (const [third, reason] of cases) {
      const decision = thirdVote({ ballots: [...down, third] });
      expect(told(decision), reason).to.equal('none');
      expect(why(decision, 3)).to.equal(reason);
    }
  });

  it('after an event counts only reports whose basis is at or after it', () => {
    const all = ballots('DOWN', 'DOWN', 'DOWN');
    const after = (event: number): Decision =>
      thirdVote({ ballots: all, key: keyState({ lastEmptinessEvent: asRevision(event) }) });
    expect(told(after(100))).to.equal('event UP>DOWN');
    expect(told(after(101))).to.equal('none');
    const both = { lastAvailabilityEvent: asRevision(101), lastEmptinessEvent: asRevision(7) };
    const late = thirdVote({ ballots: all, key: keyState(both) });
    expect(why(late, 3)).to.equal('its report is from before event 101');
  });

  it('counts members only: neither learners nor strangers', () => {
    const learner = { node: nodeName(4), zone: '', role: 'learner' } as const;
    const stranger = ballot(9, 'DOWN', { node: asNodeId('stranger') });
    const members = [...noZones(3), learner];
    const votes = [ballot(1, 'DOWN'), ballot(4, 'DOWN'), stranger];
    const decision = decide(input({ members, ballots: votes, settings: atOnce }));
    expect(told(decision)).to.equal('none');
    expect(decision.evidence).to.deep.include({ quorum: 2, minZones: 1 });
    expect(decision.evidence.votes.map((vote) => vote.node)).to.deep.equal(['n1', 'n2', 'n3']);
  });

  it('counts observers like voters', () => {
    const members = noZones(3).map((member) => ({ ...member, role: 'observer' as const }));
    const decision = decide(input({ members, ballots: down, settings: atOnce }));
    expect(told(decision)).to.equal('event UP>DOWN');
  });

  it('leaves its own vote out while its own timers are late', () => {
    const self = { node: nodeName(1), abstains: true, stalledAtMs: null };
    const decision = decide(input({ ballots: down, self, settings: atOnce }));
    expect(told(decision)).to.equal('none');
    expect(why(decision, 1)).to.equal('its own timers were late');
  });

  it('keeps dead members in the denominator', () => {
    const decision = decide(input({ members: noZones(5), ballots: down, settings: atOnce }));
    expect(told(decision)).to.equal('none');
    expect(decision.evidence.quorum).to.equal(3);
  });

  it('demands two zones once members name two, whatever the majority says', () => {
    const members = membersIn('a', 'a', 'a', 'b', 'b');
    const votes = ballots('DOWN', 'DOWN', 'DOWN', 'UP', 'UP');
    const oneZone = decide(input({ members, ballots: votes, settings: atOnce }));
    expect(told(oneZone)).to.equal('none');
    const twoZones = [...votes.slice(0, 3), ballot(4, 'DOWN')];
    const decision = decide(input({ members, ballots: twoZones, settings: atOnce }));
    expect(told(decision)).to.equal('event UP>DOWN');
  });
});

describe('decide() on baselines', () => {
  it('takes the first agreed UP or DOWN silently, without hold', () => {
    const key = keyState({ baseline: null });
    expect(told(decide(input({ key, ballots: ballots('DOWN', 'DOWN') })))).to.equal(
      'baseline DOWN',
    );
    expect(told(decide(input({ key, ballots: ballots('UP', 'UP', 'DOWN') })))).to.equal(
      'baseline UP',
    );
    expect(told(decide(input({ key, ballots: ballots('UP', 'DOWN') })))).to.equal('none');
  });

  it('makes no EMPTY event without a baseline', () => {
    const key = keyState({ baseline: null });
    const decision = decide(
      input({ key, ballots: ballots('EMPTY', 'EMPTY', 'EMPTY'), settings: atOnce }),
    );
    expect(told(decision)).to.equal('none');
    expect(decision.reason).to.include('without a baseline nothing is an event');
  });

  it('says nothing while the baseline is confirmed', () => {
    const decision = decide(input({ ballots: ballots('UP', 'UP', 'UP'), settings: atOnce }));
    expect(told(decision)).to.equal('none');
    expect(decision.reason).to.include('3 of 3 members in 1 zone say UP (needed: 2 in 1)');
    expect(decision.nextCheckInMs).to.equal(null);
  });
});

describe('decide() on emptiness', () => {
  const empties = ballots('EMPTY', 'EMPTY');

  it('sets the flag by agreement on EMPTY and says it once', () => {
    const first = decide(input({ ballots: empties, settings: atOnce }));
    expect(told(first)).to.equal('event UP>EMPTY');
    const key = keyState({ empty: true });
    const again = decide(input({ key, ballots: empties, settings: atOnce }));
    expect(told(again)).to.equal('none');
    expect(again.reason).to.include('already told');
  });

  it('recovers when a quorum can tell: UP, DOWN or both mixed', () => {
    const key = keyState({ empty: true });
    const cases = [
      [ballots('UP', 'NO_EMPTY_IN_SAMPLES', 'EMPTY'), 'event EMPTY>EMPTY_RECOVER'],
      [ballots('UP', 'DOWN', 'EMPTY'), 'event EMPTY>EMPTY_RECOVER'],
      [ballots('UP', 'NOT_FILL_SAMPLES', 'EMPTY'), 'none'],
      [ballots('UP', 'LESS_THAN_MINSAMPLE'), 'none'],
    ] as const;
    for (const [votes, wanted] of cases) {
      expect(told(decide(input({ key, ballots: votes, settings: atOnce })))).to.equal(wanted);
    }
  });

  it('lets the flip go first, also while the flip has to wait', () => {
    const key = keyState({ empty: true });
    const down = ballots('DOWN', 'DOWN');
    expect(told(decide(input({ key, ballots: down, settings: atOnce })))).to.equal('event UP>DOWN');
    const blocked = { ...noActivity, endedAtMs: 900 };
    const activity = { availability: blocked, emptiness: noActivity };
    const waiting = decide(input({ key, ballots: down, settings: atOnce, activity }));
    expect(told(waiting)).to.equal('waiting DOWN');
  });

  it('has an interval of its own', () => {
    const ended = { ...noActivity, endedAtMs: 900 };
    const votes = { ballots: empties, settings: atOnce };
    const other = { availability: ended, emptiness: noActivity };
    expect(told(decide(input({ ...votes, activity: other })))).to.equal('event UP>EMPTY');
    const same = { availability: noActivity, emptiness: ended };
    expect(told(decide(input({ ...votes, activity: same })))).to.equal('waiting EMPTY');
  });
});

describe('decide() on evidence', () => {
  it('names quorum, zones and every vote with what it counted for', () => {
    const members = membersIn('a', 'b', 'c', 'c');
    const votes = [
      ballot(1, 'DOWN', { samples: ['UP', 'DOWN', 'DOWN', 'DOWN'] }),
      ballot(2, 'DOWN'),
      ballot(3, 'DOWN'),
    ];
    const decision = decide(input({ nowMs: 1_250, members, ballots: votes, settings: atOnce }));
    expect(decision.evidence.quorum).to.equal(3);
    expect(decision.evidence.minZones).to.equal(2);
    expect(decision.evidence.votes[0]).to.deep.equal({
      node: 'n1',
      zone: 'a',
      verdict: 'DOWN',
      samples: ['UP', 'DOWN', 'DOWN', 'DOWN'],
      ageMs: 250,
      counted: true,
      why: '',
    });
    expect(decision.evidence.votes[3]).to.deep.equal({
      node: 'n4',
      zone: 'c',
      verdict: 'ABSTAIN',
      samples: [],
      ageMs: -1,
      counted: false,
      why: 'nothing heard about this key',
    });
    expect(decision.reason).to.equal(
      '3 of 4 members in 3 zones say DOWN (needed: 3 in 2); it was UP',
    );
  });

  it('names who says otherwise', () => {
    const decision = decide(input({ ballots: ballots('DOWN', 'DOWN', 'UP'), settings: atOnce }));
    expect(why(decision, 3)).to.equal('says UP');
  });

  it('says why not: the votes, the need and what can never be reached', () => {
    const decision = decide(input({ ballots: ballots('DOWN', 'UP') }));
    expect(decision.reason).to.equal(
      'no agreement: UP 1, DOWN 1, EMPTY 0, abstaining 1; 2 of 3 in 1 zone needed; ' +
        'the baseline stays UP',
    );
    const alone = decide(input({ members: noZones(1), ballots: ballots('DOWN') }));
    expect(alone.reason).to.include('more than there are members');
  });

  it('depends on its argument alone', () => {
    const given = input({ ballots: ballots('DOWN', 'DOWN'), hold: noHold });
    expect(decide(given)).to.deep.equal(decide(structuredClone(given)));
    expect(given.key.valueRevision).to.equal(valueRevision);
  });
});
