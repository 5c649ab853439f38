import type { Incarnation, LogIndex, NodeId, PeerId, Term } from '../shared/index.ts';

/** The shapes that the Raft codec reads and writes. The core's own types are assignable to them. */
export interface WireMember {
  readonly nodeId: NodeId;
  readonly incarnation: Incarnation;
  readonly role: 'voter' | 'learner' | 'observer';
  readonly zone: string;
  readonly raftAddress: string;
  readonly httpAddress: string;
  readonly gossipAddress: string;
}

export interface WireConfiguration {
  readonly members: readonly WireMember[];
  readonly outgoingVoters: readonly PeerId[];
  readonly leaving?: readonly WireMember[];
  readonly removed: readonly PeerId[];
}

export interface WireEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: 'noop' | 'command' | 'configuration';
  readonly payload: Uint8Array;
}

export interface WireHardState {
  readonly term: Term;
  readonly vote: PeerId | null;
}

export interface WireHead {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly term: Term;
}

/** What differs between the kinds of messages. */
export type WireBody =
  | {
      readonly kind: 'voteRequest';
      readonly preVote: boolean;
      readonly lastIndex: LogIndex;
      readonly lastTerm: Term;
      readonly transfer: boolean;
    }
  | { readonly kind: 'voteResponse'; readonly preVote: boolean; readonly granted: boolean }
  | {
      readonly kind: 'appendRequest';
      readonly previousIndex: LogIndex;
      readonly previousTerm: Term;
      readonly lastIndex: LogIndex;
      readonly entries: readonly WireEntry[];
      readonly leaderCommit: LogIndex;
      readonly readRound: number;
    }
  | {
      readonly kind: 'appendResponse';
      readonly success: boolean;
      readonly index: LogIndex;
      readonly hintIndex: LogIndex;
      readonly hintTerm: Term;
      readonly readRound: number;
    }
  | { readonly kind: 'heartbeat'; readonly commit: LogIndex; readonly readRound: number }
  | { readonly kind: 'heartbeatResponse'; readonly readRound: number }
  | { readonly kind: 'timeoutNow' }
  | { readonly kind: 'readRequest'; readonly requestId: number }
  | { readonly kind: 'readResponse'; readonly requestId: number; readonly index: LogIndex | null };

export type WireBodyOf<Kind extends WireBody['kind']> = Extract<WireBody, { readonly kind: Kind }>;

export type WireRaftMessage = WireHead & WireBody;
