import { kindOf } from '../shared/index.ts';
import type { Baseline, EventRecord, EventStatus } from '../shared/index.ts';
import { noHold, oppositeOf } from './decision-types.ts';
import type { DecideInput, Decision, Hold, HoldState } from './decision-types.ts';
import { agreementText, disagreementText } from './explain.ts';
import { blockedForMs, blockersOf, continueHold } from './gates.ts';
import { backedSinceMs, evidenceFor, leadingTarget, supportFor, tallyOf } from './tally.ts';
import type { Tally } from './tally.ts';
import { firstExpiryMs } from './votes.ts';

/** An agreed change of a key that has a baseline. */
interface Candidate {
  readonly from: EventStatus;
  readonly hold: Hold;
}

/**
 * Decides one key by section 5 of the interface, from its arguments alone. To be asked by a leader
 * that has applied its own no-op, with no proposal for the key in flight: when a vote, the key, the
 * members, the settings or a notification changed, and after `nextCheckInMs`. Always explains itself.
 */
export function decide(input: DecideInput): Decision {
  const tally = tallyOf(input);
  const { baseline } = input.key;
  return baseline === null ? decideBaseline(tally) : decideChange(input, tally, baseline);
}

function decideBaseline(tally: Tally): Decision {
  const to = (['UP', 'DOWN'] as const).find((target) => supportFor(tally, target).agreed);
  const target = to ?? leadingTarget(tally);
  const told = { evidence: evidenceFor(tally, target), hold: noHold, nextCheckInMs: null };
  if (to !== undefined) {
    const reason = `${agreementText(tally, to)}; it becomes the baseline silently`;
    return { kind: 'baseline', to, reason, ...told };
  }
  const empty = supportFor(tally, 'EMPTY').agreed;
  const why = empty ? agreementText(tally, 'EMPTY') : disagreementText(tally);
  return { kind: 'none', reason: `${why}; without a baseline nothing is an event`, ...told };
}

function decideChange(input: DecideInput, tally: Tally, baseline: Baseline): Decision {
  const hold = holdStateOf(input, tally, baseline);
  // A flip goes first and clears the EMPTY flag: while one is agreed, emptiness has to wait for it.
  if (hold.availability) {
    return judge(input, tally, { hold, candidate: { from: baseline, hold: hold.availability } });
  }
  if (hold.emptiness) {
    const from = input.key.empty ? 'EMPTY' : baseline;
    return judge(input, tally, { hold, candidate: { from, hold: hold.emptiness } });
  }
  return unchanged(input, tally, baseline);
}

function holdStateOf(input: DecideInput, tally: Tally, baseline: Baseline): HoldState {
  const flip = oppositeOf[baseline];
  const change = input.key.empty ? 'EMPTY_RECOVER' : 'EMPTY';
  const held = (target: EventStatus): Hold | null => {
    const previous = input.hold[kindOf(target)];
    if (!supportFor(tally, target).agreed) return null;
    return continueHold(input, { target, previous, backedSinceMs: backedSinceMs(tally, target) });
  };
  return { availability: held(flip), emptiness: held(change) };
}

function judge(
  input: DecideInput,
  tally: Tally,
  { hold, candidate }: { readonly hold: HoldState; readonly candidate: Candidate },
): Decision {
  const to = candidate.hold.target;
  const evidence = evidenceFor(tally, to);
  const eventKind = kindOf(to);
  const agreement = `${agreementText(tally, to)}; it was ${candidate.from}`;
  const blockers = blockersOf(input, candidate.hold);
  if (blockers.length === 0) {
    const told = { reason: agreement, evidence, hold, nextCheckInMs: null };
    return { kind: 'event', eventKind, from: candidate.from, to, ...told };
  }
  const reason = `${agreement}; waiting: ${blockers.map((blocker) => blocker.text).join(', ')}`;
  const nextCheckInMs = earlier(blockedForMs(blockers), firstExpiryMs(input, tally.votes));
  return { kind: 'waiting', eventKind, to, reason, evidence, hold, nextCheckInMs };
}

function unchanged(input: DecideInput, tally: Tally, baseline: Baseline): Decision {
  const agreed = ([baseline, 'EMPTY'] as const).find((target) => supportFor(tally, target).agreed);
  const already = agreed === 'EMPTY' ? 'already told' : 'as the baseline';
  const flag = input.key.empty ? ', EMPTY is set' : '';
  const reason = agreed
    ? `${agreementText(tally, agreed)}, ${already}`
    : `${disagreementText(tally)}; the baseline stays ${baseline}${flag}`;
  const evidence = evidenceFor(tally, agreed ?? leadingTarget(tally));
  return { kind: 'none', reason, evidence, hold: noHold, nextCheckInMs: null };
}

/** The sooner of two waits. Expiry counts too: a lapse nobody looked at would not break a hold. */
function earlier(aMs: number | null, bMs: number | null): number | null {
  if (aMs === null) return bMs;
  return bMs === null ? aMs : Math.min(aMs, bMs);
}

/** Before each attempt of a notification: does its reason still hold? */
export interface Reconsidered {
  readonly verdict: 'run' | 'superseded';
  readonly reason: string;
}

/**
 * `superseded` when the opposite of what the event says is agreed by now: then its notification must
 * not start again and the opposite event follows at once (see `Activity.superseded`).
 */
export function reconsider(event: Pick<EventRecord, 'to'>, input: DecideInput): Reconsidered {
  const tally = tallyOf(input);
  const opposite = oppositeOf[event.to];
  const reverted = supportFor(tally, opposite).agreed;
  const agreement = agreementText(tally, opposite);
  return reverted
    ? { verdict: 'superseded', reason: `${agreement}, the opposite of ${event.to}` }
    : { verdict: 'run', reason: `${event.to} stands: only ${agreement}` };
}
