import type { NodeId, Revision } from './ids.ts';

/** What one run of the verification script said. EMPTY: it could not tell. */
export type SampleStatus = 'UP' | 'DOWN' | 'EMPTY';

/** What a node concludes from its last samples of a key. */
export type Verdict =
  SampleStatus | 'LESS_THAN_MINSAMPLE' | 'NOT_FILL_SAMPLES' | 'NO_EMPTY_IN_SAMPLES';

/** The agreed state of a key that events move between. */
export type Baseline = 'UP' | 'DOWN';

/** What an event tells the notification script. */
export type EventStatus = 'UP' | 'DOWN' | 'EMPTY' | 'EMPTY_RECOVER';

/** Kinds of events have intervals of their own. */
export type EventKind = 'availability' | 'emptiness';

export const kindOf = (status: EventStatus): EventKind =>
  status === 'UP' || status === 'DOWN' ? 'availability' : 'emptiness';

/** One member's vote as it stood when an event was decided. */
export interface EvidenceVote {
  readonly node: NodeId;
  readonly zone: string;
  readonly verdict: Verdict | 'ABSTAIN';
  readonly samples: readonly SampleStatus[];
  /** Milliseconds since the deciding node saw the report that the vote rests on; -1: none seen. */
  readonly ageMs: number;
  readonly counted: boolean;
  /** Why a vote was not counted; '' when it was. */
  readonly why: string;
}

/** Why an event was decided; stored with it for ever. */
export interface Evidence {
  /** Votes that were needed. */
  readonly quorum: number;
  /** Distinct zones that were needed among those who agree. */
  readonly minZones: number;
  readonly votes: readonly EvidenceVote[];
}

/** Settings that decide results: replicated, the same on every node. */
export interface DecisionSettings {
  /** Members that must agree; 'majority' or a number. */
  readonly gossipQuorum: 'majority' | number;
  readonly minZones: 'auto' | number;
  readonly eventIntervalMs: number;
  readonly eventHoldMs: number;
  readonly notifyOn: 'leader' | 'all';
  readonly notifyTimeoutMs: number;
  readonly notifyRetries: number;
}

/** One run of the notification script. */
export interface NotificationAttempt {
  readonly attempt: number;
  readonly node: NodeId;
  readonly role: 'leader' | 'follower';
  /** Unix milliseconds on the clock of the node that ran it; for people only. */
  readonly startedAtMs: number;
  /** Milliseconds it took; null while it runs. */
  readonly durationMs: number | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** The first 4 KiB of what it printed. */
  readonly output: string;
}

/** `none`: no script is configured or the run is not tracked. */
export type NotificationState = 'pending' | 'running' | 'done' | 'failed' | 'superseded' | 'none';

/** An UP/DOWN/EMPTY transition that a quorum agreed on: one committed log entry. */
export interface EventRecord {
  /** Revision of the entry that recorded it: the event's id and fencing token. */
  readonly id: Revision;
  /** `epoch.id`, zero-padded, so that comparing strings orders tokens. */
  readonly token: string;
  readonly key: string;
  /** Tells this key from an earlier one of the same name. */
  readonly createRevision: Revision;
  /** The value that was judged. */
  readonly value: string;
  readonly valueRevision: Revision;
  readonly from: EventStatus | '';
  readonly to: EventStatus;
  readonly reason: string;
  /** Unix milliseconds of the leader's monotonic replicated clock. */
  readonly atMs: number;
  readonly evidence: Evidence;
  readonly notification: {
    readonly state: NotificationState;
    readonly attempts: readonly NotificationAttempt[];
  };
}

/** What the cluster remembers about the health of a key. */
export interface KeyHealth {
  readonly createRevision: Revision;
  readonly baseline: Baseline | null;
  /** Set by agreement on EMPTY, cleared when a quorum can tell again. */
  readonly empty: boolean;
  /** Last UP/DOWN event, or null when only a silent baseline was recorded. */
  readonly lastAvailabilityEvent: Revision | null;
  readonly lastEmptinessEvent: Revision | null;
  /** Unix milliseconds of the replicated clock; 0: never. For people only. */
  readonly baselineAtMs: number;
  readonly emptyAtMs: number;
}
