import type {
  DecisionSettings,
  EventKind,
  EventRecord,
  EventStatus,
  Evidence,
  KeyHealth,
  LogIndex,
  NodeId,
  Revision,
} from '../shared/index.ts';

/** Condition of an envelope on one key. All must hold for `then`; otherwise `else` runs. */
export interface Compare {
  readonly key: Uint8Array;
  readonly target: 'createRevision' | 'modRevision' | 'version' | 'value';
  readonly relation: 'equal' | 'notEqual' | 'less' | 'greater';
  /** For revisions and versions; 0 means "no such key". */
  readonly number: number;
  /** For 'value' (equal and notEqual only). */
  readonly bytes: Uint8Array;
}

/** Identifies the health state that a command was decided on; anything else: a no-op. */
export interface HealthExpectation {
  readonly key: string;
  readonly createRevision: Revision;
  readonly valueRevision: Revision;
}

/** One operation. The state machine is total: an operation that does not apply is a no-op result. */
export type Operation =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: Uint8Array }
  /** The first agreed UP or DOWN, silently. Only when the key has no baseline. */
  | {
      readonly kind: 'setBaseline';
      readonly expect: HealthExpectation;
      readonly to: 'UP' | 'DOWN';
    }
  /**
   * An agreed transition: compare-and-set on `expect`, the from-state and "no tracked notification
   * of this kind pending or running". `tracked`: a notification script is to be run.
   */
  | {
      readonly kind: 'recordEvent';
      readonly expect: HealthExpectation;
      /** Value that was judged. */
      readonly value: Uint8Array;
      readonly from: EventStatus | '';
      readonly to: EventStatus;
      readonly reason: string;
      readonly evidence: Evidence;
      readonly tracked: boolean;
    }
  /** pending|running(elsewhere) -> running(node, attempt). `attempt` must be the next number. */
  | {
      readonly kind: 'startAttempt';
      readonly eventId: Revision;
      readonly attempt: number;
      readonly node: NodeId;
      readonly startedAtMs: number;
    }
  /** Ends the named attempt; `outcome` retry puts the event back to pending. */
  | {
      readonly kind: 'endAttempt';
      readonly eventId: Revision;
      readonly attempt: number;
      readonly node: NodeId;
      readonly durationMs: number;
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly timedOut: boolean;
      readonly output: string;
      readonly outcome: 'done' | 'failed' | 'retry';
    }
  /** A run by a follower (`notifyOn=all`), recorded for people; changes no state. */
  | {
      readonly kind: 'recordFollowerRun';
      readonly eventId: Revision;
      readonly node: NodeId;
      readonly startedAtMs: number;
      readonly durationMs: number;
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly timedOut: boolean;
      readonly output: string;
    }
  /** pending -> superseded or failed (given up). A running attempt is not touched. */
  | {
      readonly kind: 'closeNotification';
      readonly eventId: Revision;
      readonly state: 'superseded' | 'failed';
      readonly reason: string;
    }
  | { readonly kind: 'putSettings'; readonly settings: Partial<DecisionSettings> }
  /** Puts are refused from here on, since disks are nearly full; '' takes them again. */
  | { readonly kind: 'setNoSpace'; readonly nodes: string }
  /** Every later token is above all earlier ones; `epoch`: at least this one. Only `recover` does it. */
  | { readonly kind: 'raiseEpoch'; readonly epoch: number };

/** What a client wants done atomically: one revision at most. */
export interface Envelope {
  /** Cluster version that the command needs; 1 for everything so far. */
  readonly minVersion: number;
  readonly keyspace: string;
  readonly principal: string;
  /** With a sequence: the client that it counts for. */
  readonly session: string;
  /** 1, 2, ...: carried out once, however often it is proposed. 0: carried out every time. */
  readonly sequence: number;
  readonly compare: readonly Compare[];
  readonly then: readonly Operation[];
  readonly else: readonly Operation[];
}

/** Payload of one command entry of the log, decoded. */
export interface CommandBatch {
  /** The leader's clock, Unix milliseconds; made monotonic when applied. */
  readonly timeMs: number;
  /** null: bytes that are no envelope; answered with PARAM_INVALID. */
  readonly envelopes: readonly (Envelope | null)[];
  /** The highest cluster version that one of them needs, also of those that do not decode here. */
  readonly minVersion: number;
}

export type FailureCode =
  'PARAM_INVALID' | 'TOO_LARGE' | 'STORE_FULL' | 'CONFLICT' | 'NOT_FOUND' | 'SESSION_EXPIRED';

/** The answer to one envelope, the same on every node. */
export type CommandResult =
  | {
      readonly ok: true;
      /** The state's revision after the command. */
      readonly revision: Revision;
      /** False when nothing changed (delete of nothing, lost compare-and-set). */
      readonly changed: boolean;
      /** Which branch ran. */
      readonly branch: 'then' | 'else';
    }
  | {
      readonly ok: false;
      readonly code: FailureCode;
      readonly message: string;
    };

/** A live key without its value; the value is the row (valueRow). */
export interface KeyRecord {
  readonly key: Uint8Array;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** 1 on creation, +1 per put. */
  readonly version: number;
  /** When its bytes last changed. */
  readonly valueRevision: Revision;
  readonly valueBytes: number;
  /** Row key of the value in the engine. */
  readonly valueRow: Uint8Array;
}

/** A row to write (or, when value is null, to delete) in the engine. */
export interface RowWrite {
  readonly row: Uint8Array;
  readonly value: Uint8Array | null;
  /**
   * A value: written once under its row key, so that deleting it before it reached the disk leaves
   * nothing to do; and read by itself, so that it is worth keeping in memory.
   */
  readonly isValue?: boolean;
}

/** What applying changed, for drivers that follow the state. */
export type Notice =
  /** A key was created, changed or (record null) deleted. */
  | { readonly kind: 'key'; readonly key: string; readonly record: KeyRecord | null }
  | { readonly kind: 'baseline'; readonly key: string; readonly health: KeyHealth }
  | { readonly kind: 'event'; readonly event: EventRecord }
  /** The notification of an event changed state; `ended`: done, failed or superseded now. */
  | {
      readonly kind: 'notification';
      readonly event: EventRecord;
      readonly eventKind: EventKind;
      readonly ended: boolean;
    }
  | { readonly kind: 'settings'; readonly settings: DecisionSettings };

export interface ApplyOutcome {
  /** One per envelope, in order. */
  readonly results: readonly CommandResult[];
  readonly writes: readonly RowWrite[];
  readonly notices: readonly Notice[];
}

/** Hard limits on decoded bytes; the same on every node. */
export interface StoreLimits {
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  readonly keysMax: number;
  readonly databaseBytesMax: number;
  /** Part of the database that puts cannot have, so that a full store can still fail over. */
  readonly reserveBytes: number;
  readonly eventsMax: number;
  /** Size of all events together; inside the reserve. */
  readonly ledgerBytesMax: number;
  /** Runs that are kept per event. */
  readonly attemptsMax: number;
  /** Operations per branch, and compares, of one envelope. */
  readonly operationsMax: number;
  readonly sessionsMax: number;
  /** Size of all sessions together; inside the reserve. */
  readonly sessionsBytesMax: number;
  /** How many sequences, counted down from the highest, a session answers. */
  readonly sessionWindow: number;
  /** A session that is not used for longer has expired. */
  readonly sessionIdleMs: number;
  /** What one batch counts for at most, as time that sessions were idle. */
  readonly sessionStepMs: number;
  /** Expired ids that are remembered, the newest. */
  readonly expiredSessionsMax: number;
}

/** Queries on the applied state. Synchronous: values themselves are rows in the engine. */
export interface StoreView {
  readonly appliedIndex: LogIndex;
  readonly revision: Revision;
  readonly clusterVersion: number;
  /** Raised by `recover`; first part of every token. */
  readonly epoch: number;
  readonly keyCount: number;
  readonly databaseBytes: number;
  /** Nodes whose disks are nearly full, so that puts are refused; '' when there is room. */
  readonly noSpace: string;
  readonly settings: DecisionSettings | null;
  key(key: Uint8Array): KeyRecord | undefined;
  /** Ordered by bytes, strictly after `after`, lazily. */
  keys(query: {
    readonly prefix?: Uint8Array;
    readonly after?: Uint8Array;
    readonly limit?: number;
  }): Iterable<KeyRecord>;
  health(key: string): KeyHealth | undefined;
  event(id: Revision): EventRecord | undefined;
  /** Newest first. */
  events(query: { readonly key?: string; readonly limit: number }): readonly EventRecord[];
  /** Whether a session has the answer to this request. */
  hasAnswered(session: string, sequence: number): boolean;
  /** Events whose tracked notification is pending or running, oldest first. */
  openNotifications(): readonly EventRecord[];
  /** Those of one key and of earlier keys of its name, oldest first. */
  openNotificationsOf(key: string): readonly EventRecord[];
}
