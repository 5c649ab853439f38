import type { RaftMessage, RaftTransport } from '../../raft/index.ts';
import type { Clock, ClusterId, Logger, PeerId, Random, Term } from '../../shared/index.ts';

/** What a call asks for, at most 32 bytes of UTF-8: opaque here, the composition names them. */
export type CallMethod = string;

/** The one method that is served before this node knows its cluster. */
export const HANDSHAKE: CallMethod = 'handshake';

/** Who this node is and where it listens. */
export interface PeerTransportInit {
  readonly self: PeerId;
  /** null: not known yet (a joining node); see `setIdentity`. */
  readonly clusterId: ClusterId | null;
  /** `host:port` to bind. */
  readonly listen: string;
  /** `host:port` under which others reach this node; they log it. */
  readonly advertise: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Jitter of reconnects. */
  readonly random: Random;
}

/** What a snapshot's sender says before the first chunk. */
export interface SnapshotOffer {
  /** The sender's Raft term. */
  readonly term: Term;
  /** Opaque here: what the receiver needs to judge and to install it. */
  readonly header: Uint8Array;
  /** Chunks offered under one key are the same bytes, whoever sends them: resuming is safe. */
  readonly resumeKey: string;
  readonly chunkCount: number;
}

/** A snapshot to be sent. Chunks are at most SNAPSHOT_CHUNK_BYTES_MAX. */
export interface SnapshotSource {
  readonly offer: SnapshotOffer;
  /** Bytes of chunk `number`, counted from 0. Called in ascending order, one at a time. */
  readChunk(number: number): Promise<Uint8Array>;
}

/** Takes one snapshot in. Calls come one at a time, each after the promise before it. */
export interface SnapshotReceiver {
  /** First chunk that is missing; `chunkCount` when none is. */
  readonly startAt: number;
  /** Chunks come in ascending order without gaps; the next one waits for this promise. */
  take(number: number, chunk: Uint8Array): Promise<void>;
  /** Resolves when the whole snapshot is held and verified. Last call. */
  finish(): Promise<void>;
  /** The stream broke, or `take` or `finish` failed. Last call; what was taken may be kept. */
  abort(reason: string): void;
}

/** How a node learns that its cluster was recovered without its data. */
export interface OutdatedBy {
  /** This node's cluster in its later lineage. */
  readonly cluster: ClusterId;
  /** Who was dialled, and where; maybe another incarnation answered. */
  readonly peer: PeerId;
  readonly address: string;
}

/** What this node does with what peers send. */
export interface PeerHandlers {
  /**
   * All messages of one received frame, in the order sent. Their `from` and `to` are checked.
   * What it throws is not caught: a broken invariant stops the process.
   */
  onMessages(messages: readonly RaftMessage[]): void;
  /**
   * Answers a call. A QuorateError travels back with its code and message. `from` is null when
   * the caller is not proven to be of this cluster (`callAddress` of a joining node).
   */
  onCall(from: PeerId | null, method: CallMethod, body: Uint8Array): Promise<Uint8Array>;
  /** Accepts a snapshot, or refuses it with a QuorateError. At most one at a time per peer. */
  onSnapshot(from: PeerId, offer: SnapshotOffer): Promise<SnapshotReceiver>;
  /**
   * A peer of `setPeers` is of this cluster after a recovery that this node's data has no part in.
   * Comes again with every attempt to reach it. Absent: such a peer just stays unreachable.
   */
  onOutdated?(by: OutdatedBy): void;
}

/** One peer as operators see it. */
export interface PeerLinkStatus {
  readonly peer: PeerId;
  readonly address: string;
  /** Streams for messages and calls stand. */
  readonly connected: boolean;
  /** Messages given up because a queue was full or the link broke, since the peer was set. */
  readonly droppedMessages: number;
}

/** Everything nodes of a cluster say to each other over TCP. */
export interface PeerTransport extends RaftTransport {
  /** Binds and serves. Rejects with a QuorateError when the address cannot be bound. */
  start(handlers: PeerHandlers): Promise<void>;
  /** Ends all streams; calls in flight are rejected. May be called twice. */
  stop(): Promise<void>;
  /** Tells a joining node its cluster; only then are peers dialled and served. Once. */
  setIdentity(clusterId: ClusterId): void;
  /**
   * Asks a peer of `setPeers`; thousands may be in flight. Rejects with a QuorateError: what the
   * peer's handler threw; UNREACHABLE when it surely was not delivered; UNKNOWN_OUTCOME when it
   * was sent and no answer came; OVERLOADED (not sent) when too many are in flight; TOO_LARGE;
   * STOPPED.
   */
  call(to: PeerId, method: CallMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** As `call`, to whoever serves at `host:port`: the identity there is not known yet. */
  callAddress(
    address: string,
    method: CallMethod,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array>;
  /**
   * Streams a snapshot from the chunk the receiver asks for; resolves when it holds all of it.
   * Rejects with the receiver's QuorateError, UNREACHABLE when the stream broke (send again to
   * resume), or STOPPED when `signal` or `stop` ended it.
   */
  sendSnapshot(to: PeerId, source: SnapshotSource, signal: AbortSignal): Promise<void>;
  status(): readonly PeerLinkStatus[];
}
