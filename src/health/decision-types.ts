import type {
  Baseline,
  DecisionSettings,
  EventKind,
  EventStatus,
  Evidence,
  KeyHealth,
  NodeId,
  NotificationState,
  Revision,
  SampleStatus,
  Verdict,
} from '../shared/index.ts';

/** Number of a key for health: its create revision, so a key made anew is another key. */
export type KeyId = Revision;

/** A server of the Raft configuration. Voters and observers count; a learner is no member yet. */
export interface Member {
  readonly node: NodeId;
  readonly zone: string;
  readonly role: 'voter' | 'observer' | 'learner';
}

/** What one node last said about one key, and how it backs that up. */
export interface Ballot {
  readonly node: NodeId;
  readonly verdict: Verdict;
  readonly valueRevision: Revision;
  readonly samples: readonly SampleStatus[];
  /** Its last report, or null when none was seen since it (re)started. */
  readonly report: BallotReport | null;
}

export interface BallotReport {
  /** State revision applied when the oldest of its newest samples began. */
  readonly basis: Revision;
  /** Monotonic milliseconds of this process when its number last advanced. */
  readonly receivedAtMs: number;
  /** Monotonic milliseconds since when its reports have followed each other without a lapse. */
  readonly freshSinceMs: number;
  /** The report lists this key as overdue. */
  readonly overdue: boolean;
}

/** An agreement that has stood without a gap since `sinceMs` (monotonic, this process). */
export interface Hold {
  readonly target: EventStatus;
  readonly valueRevision: Revision;
  readonly sinceMs: number;
}

/** Kept by the caller per key and handed back to the next `decide`. */
export interface HoldState {
  readonly availability: Hold | null;
  readonly emptiness: Hold | null;
}

export const noHold: HoldState = { availability: null, emptiness: null };

/** The last tracked notification of one key and kind, as the ledger and this process know it. */
export interface Activity {
  /** The event whose notification is pending or running, of this key or an earlier one of its name. */
  readonly open: { readonly eventId: Revision; readonly state: NotificationState } | null;
  /** Monotonic milliseconds when the last one ended for this process; null: never. */
  readonly endedAtMs: number | null;
  /**
   * What the last one said when it was superseded before it ran, else null: nobody was told, so its
   * opposite follows at once, without hold or interval.
   */
  readonly superseded: EventStatus | null;
}

export const noActivity: Activity = { open: null, endedAtMs: null, superseded: null };

export const oppositeOf: Readonly<Record<EventStatus, EventStatus>> = {
  UP: 'DOWN',
  DOWN: 'UP',
  EMPTY: 'EMPTY_RECOVER',
  EMPTY_RECOVER: 'EMPTY',
};

/** The state of the key that `decide` needs; see KeyHealth. */
export interface KeyState {
  readonly valueRevision: Revision;
  readonly baseline: Baseline | null;
  readonly empty: boolean;
  readonly lastAvailabilityEvent: Revision | null;
  readonly lastEmptinessEvent: Revision | null;
}

/** What `decide` needs of a key at `valueRevision`; `health` is undefined before its baseline. */
export function keyStateOf(valueRevision: Revision, health: KeyHealth | undefined): KeyState {
  return {
    valueRevision,
    baseline: health?.baseline ?? null,
    empty: health?.empty ?? false,
    lastAvailabilityEvent: health?.lastAvailabilityEvent ?? null,
    lastEmptinessEvent: health?.lastEmptinessEvent ?? null,
  };
}

/** This process as a voter and as a judge. */
export interface Self {
  readonly node: NodeId;
  /** Its own timers were late: its own vote does not count. */
  readonly abstains: boolean;
  /** Monotonic milliseconds of its last stall, or null. No hold reaches back over it. */
  readonly stalledAtMs: number | null;
}

/** Everything a decision rests on. Nothing else is looked at, so a replay decides the same. */
export interface DecideInput {
  /** Monotonic milliseconds of this process. */
  readonly nowMs: number;
  readonly self: Self;
  readonly key: KeyState;
  readonly members: readonly Member[];
  /** At most one per node; those of non-members are ignored. */
  readonly ballots: readonly Ballot[];
  readonly settings: Pick<
    DecisionSettings,
    'gossipQuorum' | 'minZones' | 'eventIntervalMs' | 'eventHoldMs'
  >;
  /** A vote is fresh for this long: see `freshnessLimitMs`. */
  readonly freshMs: number;
  readonly hold: HoldState;
  readonly activity: Readonly<Record<EventKind, Activity>>;
}

interface Explained {
  /** One sentence for people: why, or why not. */
  readonly reason: string;
  readonly evidence: Evidence;
  /** To be handed to the next `decide` of this key. */
  readonly hold: HoldState;
  /** Decide again after this long even when nothing is heard; null: only when something changes. */
  readonly nextCheckInMs: number | null;
}

export type Decision =
  | (Explained & { readonly kind: 'none' })
  | (Explained & { readonly kind: 'baseline'; readonly to: Baseline })
  | (Explained & {
      readonly kind: 'event';
      readonly eventKind: EventKind;
      readonly from: EventStatus;
      readonly to: EventStatus;
    })
  | (Explained & {
      readonly kind: 'waiting';
      readonly eventKind: EventKind;
      readonly to: EventStatus;
    });
