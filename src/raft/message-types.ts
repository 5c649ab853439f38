import type { LogIndex, PeerId, Term } from '../shared/index.ts';
import type { Entry } from './types.ts';

/** What members say to each other. */

interface MessageHead {
  readonly from: PeerId;
  readonly to: PeerId;
  /** The sender's term; in a pre-vote request, and in its grant, the term of the campaign to be. */
  readonly term: Term;
}

export interface VoteRequest extends MessageHead {
  readonly kind: 'voteRequest';
  readonly preVote: boolean;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The old leader asked for this election: stickiness does not apply (thesis 3.10). */
  readonly transfer: boolean;
}

export interface VoteResponse extends MessageHead {
  readonly kind: 'voteResponse';
  readonly preVote: boolean;
  readonly granted: boolean;
}

export interface AppendRequest extends MessageHead {
  readonly kind: 'appendRequest';
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  /** Index of the last entry that the message carries; `previousIndex` when it carries none. */
  readonly lastIndex: LogIndex;
  /** Empty when it leaves the core: the driver fills previousIndex+1..lastIndex from its log. */
  readonly entries: readonly Entry[];
  readonly leaderCommit: LogIndex;
  /** Highest read round of the leader; echoed. */
  readonly readRound: number;
}

export interface AppendResponse extends MessageHead {
  readonly kind: 'appendResponse';
  readonly success: boolean;
  /** success: the last index verified by the request; else the request's `previousIndex`. */
  readonly index: LogIndex;
  /** On rejection: where the leader may go on (index and the responder's term there). */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
  readonly readRound: number;
}

/** Says "I lead" and carries the commit index that is safe for this peer. No log check. */
export interface Heartbeat extends MessageHead {
  readonly kind: 'heartbeat';
  /** At most the peer's match index. */
  readonly commit: LogIndex;
  readonly readRound: number;
}

export interface HeartbeatResponse extends MessageHead {
  readonly kind: 'heartbeatResponse';
  readonly readRound: number;
}

/** The leader asks its chosen successor to campaign at once (thesis 3.10). */
export interface TimeoutNow extends MessageHead {
  readonly kind: 'timeoutNow';
}

/** A follower asks the leader for a read index (thesis 6.4). */
export interface ReadRequest extends MessageHead {
  readonly kind: 'readRequest';
  readonly requestId: number;
}

export interface ReadResponse extends MessageHead {
  readonly kind: 'readResponse';
  readonly requestId: number;
  /** null: refused, ask again. */
  readonly index: LogIndex | null;
}

export type RaftMessage =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | TimeoutNow
  | ReadRequest
  | ReadResponse;
