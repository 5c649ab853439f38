import type { ClusterId, Incarnation, LogIndex, NodeId, PeerId } from '../shared/index.ts';
import type { RaftMessage } from './message-types.ts';
import type { Entry, HardState, LogBase, PersistBatch, RaftInit } from './types.ts';

/** Who a data directory belongs to. */
export interface LogIdentity {
  readonly clusterId: ClusterId;
  readonly nodeId: NodeId;
  readonly incarnation: Incarnation;
}

/** What opening a log found. */
export interface RecoveredLog {
  readonly identity: LogIdentity;
  readonly hardState: HardState;
  readonly base: LogBase;
  /** Which engine directory (`state-<generation>`) belongs to the base. */
  readonly generation: number;
  readonly termRuns: RaftInit['termRuns'];
  readonly lastIndex: LogIndex;
  readonly entryBytes: RaftInit['entryBytes'];
  readonly configurations: RaftInit['configurations'];
}

/**
 * The durable log: one writer, one write in flight. Any rejection of a write is fatal for the
 * process: the same handle is never tried again.
 */
export interface LogStore {
  readonly recovered: RecoveredLog;
  /** Atomic and durable when it resolves. Not called again before that. */
  write(batch: PersistBatch): Promise<void>;
  /** Entries from..to, at least one if there is one, cut at `bytesMax`. Throws when cut away. */
  read(from: LogIndex, to: LogIndex, bytesMax: number): Promise<readonly Entry[]>;
  /**
   * The commit point of a snapshot install: durable record that the state is in
   * `state-<generation>` at `base`. Entries up to base.index are forgotten; those above too,
   * unless the log holds (base.index, base.term). Exclusive with `write`.
   */
  installBase(base: LogBase, generation: number): Promise<void>;
  /** Forgets entries up to and including base.index; frees whole segments. May run beside writes. */
  compact(base: LogBase): Promise<void>;
  close(): Promise<void>;
}

/** Carries messages to peers. Lossy, ordered best effort, bounded; never blocks, never throws. */
export interface RaftTransport {
  /** `entries` of an appendRequest are filled. A lost message is sent again by a later tick. */
  send(message: RaftMessage): void;
  /** Whom to dial where; replaces the earlier set. */
  setPeers(addresses: ReadonlyMap<PeerId, string>): void;
}
