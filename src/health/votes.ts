import type { NodeId, Revision, SampleStatus, Verdict } from '../shared/index.ts';
import type { Ballot, DecideInput, Member } from './decision-types.ts';
import { votingMembers } from './quorum.ts';

/** One member's say: a verdict that may be counted, or the reason for its abstention. */
export interface Vote {
  readonly node: NodeId;
  readonly zone: string;
  readonly verdict: Verdict | 'ABSTAIN';
  readonly samples: readonly SampleStatus[];
  /** Milliseconds since its report was seen; -1: none seen. */
  readonly ageMs: number;
  /** Monotonic milliseconds since when its reports back it without a lapse; see BallotReport. */
  readonly sinceMs: number;
  /** Why it abstains; '' for a valid vote. */
  readonly abstains: string;
}

/** The votes of all members, in the order of the configuration. */
export function castVotes(input: DecideInput): readonly Vote[] {
  const ballots = new Map(input.ballots.map((ballot) => [ballot.node, ballot]));
  const eventRevision = lastEventOf(input);
  return votingMembers(input.members).map((member) => {
    const ballot = ballots.get(member.node);
    const ageMs = ballot?.report ? Math.max(0, input.nowMs - ballot.report.receivedAtMs) : -1;
    const abstains = abstention(input, ballot, eventRevision, member);
    return {
      node: member.node,
      zone: member.zone,
      verdict: abstains === '' && ballot ? ballot.verdict : 'ABSTAIN',
      samples: ballot?.valueRevision === input.key.valueRevision ? ballot.samples : [],
      ageMs,
      sinceMs: ballot?.report?.freshSinceMs ?? input.nowMs,
      abstains,
    };
  });
}

function lastEventOf({ key }: DecideInput): Revision | null {
  const { lastAvailabilityEvent: availability, lastEmptinessEvent: emptiness } = key;
  if (availability === null) return emptiness;
  return emptiness !== null && emptiness > availability ? emptiness : availability;
}

function abstention(
  input: DecideInput,
  ballot: Ballot | undefined,
  eventRevision: Revision | null,
  member: Member,
): string {
  if (member.node === input.self.node && input.self.abstains) return 'its own timers were late';
  if (!ballot) return 'nothing heard about this key';
  if (ballot.valueRevision !== input.key.valueRevision) {
    return `judged value revision ${ballot.valueRevision}, not ${input.key.valueRevision}`;
  }
  return reportFault(input, ballot, eventRevision);
}

function reportFault(input: DecideInput, ballot: Ballot, eventRevision: Revision | null): string {
  const { report } = ballot;
  if (!report) return 'no report heard since it started';
  const ageMs = input.nowMs - report.receivedAtMs;
  if (ageMs > input.freshMs) {
    return `its last report is ${Math.round(ageMs)} ms old, the limit is ${input.freshMs} ms`;
  }
  if (report.overdue) return 'its last run for this key is overdue';
  if (eventRevision !== null && report.basis < eventRevision) {
    return `its report is from before event ${eventRevision}`;
  }
  return '';
}

/** True when a fresh report from before the key's last event keeps a vote from counting. */
export function awaitsReport(input: DecideInput): boolean {
  const eventRevision = lastEventOf(input);
  if (eventRevision === null) return false;
  return input.ballots.some(
    ({ report }) =>
      report !== null &&
      report.basis < eventRevision &&
      input.nowMs - report.receivedAtMs <= input.freshMs,
  );
}

/** Milliseconds until the first valid vote grows stale unless its report advances; null: no vote. */
export function firstExpiryMs(input: DecideInput, votes: readonly Vote[]): number | null {
  let leastMs: number | null = null;
  for (const vote of votes) {
    if (vote.abstains !== '') continue;
    const leftMs = input.freshMs - vote.ageMs;
    if (leastMs === null || leftMs < leastMs) leastMs = leftMs;
  }
  return leastMs === null ? null : Math.floor(leastMs) + 1;
}
