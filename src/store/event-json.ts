import type { EventRecord, EvidenceVote, NotificationAttempt } from '../shared/index.ts';
import { rfc3339 } from '../shared/index.ts';

interface VoteJson {
  readonly node: string;
  readonly zone: string;
  readonly verdict: EvidenceVote['verdict'];
  readonly samples: EvidenceVote['samples'];
  readonly ageMs: number;
  readonly counted: boolean;
}

interface AttemptJson {
  readonly node: string;
  readonly role: NotificationAttempt['role'];
  /** RFC 3339. */
  readonly startedAt: string;
  /** null while it runs, and when its end never became known. */
  readonly ms: number | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly output: string;
}

/** An event as `/events/{id}` shows it; names and order are part of the interface. */
export interface EventJson {
  readonly id: number;
  readonly token: string;
  readonly key: string;
  readonly value: string;
  readonly valueRevision: number;
  readonly from: EventRecord['from'];
  readonly to: EventRecord['to'];
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
  readonly evidence: {
    readonly quorum: number;
    readonly minZones: number;
    readonly votes: readonly VoteJson[];
  };
  readonly notification?: {
    readonly state: EventRecord['notification']['state'];
    readonly attempts: readonly AttemptJson[];
  };
}

/** `withNotification: false` is what the notification script gets. */
export function eventToJson(
  event: EventRecord,
  options: { readonly withNotification: boolean },
): EventJson {
  const { evidence, notification } = event;
  const json = {
    id: event.id,
    token: event.token,
    key: event.key,
    value: event.value,
    valueRevision: event.valueRevision,
    from: event.from,
    to: event.to,
    reason: event.reason,
    at: rfc3339(event.atMs),
    evidence: {
      quorum: evidence.quorum,
      minZones: evidence.minZones,
      votes: evidence.votes.map(voteToJson),
    },
  };
  if (!options.withNotification) return json;
  const attempts = notification.attempts.map(attemptToJson);
  return { ...json, notification: { state: notification.state, attempts } };
}

const voteToJson = (vote: EvidenceVote): VoteJson => ({
  node: vote.node,
  zone: vote.zone,
  verdict: vote.verdict,
  samples: vote.samples,
  ageMs: vote.ageMs,
  counted: vote.counted,
});

const attemptToJson = (attempt: NotificationAttempt): AttemptJson => ({
  node: attempt.node,
  role: attempt.role,
  startedAt: rfc3339(attempt.startedAtMs),
  ms: attempt.durationMs,
  exitCode: attempt.exitCode,
  signal: attempt.signal,
  timedOut: attempt.timedOut,
  output: attempt.output,
});
