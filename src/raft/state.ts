import { assert } from '../shared/index.ts';
import type { LogIndex, PeerId, Random, Term } from '../shared/index.ts';
import { ConfigurationHistory } from './configurations.ts';
import { maxIndex } from './indexes.ts';
import type { Leadership } from './leadership.ts';
import { RaftLog } from './log.ts';
import { Outbox } from './outbox.ts';
import type { RaftRole, Tag } from './step-types.ts';
import type { LogBase, RaftInit, RaftSettings } from './types.ts';

/** A transfer of leadership that somebody waits for. */
export interface PendingTransfer {
  readonly tag: Tag;
  readonly to: PeerId;
  elapsedMs: number;
}

/** Reads of a node that does not lead: one request to the leader at a time. */
export interface ForwardedReads {
  /** Of this life of the process only: a late answer to an earlier life must match nothing. */
  requestId: number;
  /** Those that the request on its way stands for; empty when there is none. */
  asked: Tag[];
  /** Those that came later and need a later request. */
  waiting: Tag[];
  elapsedMs: number;
}

/** All that the core remembers between two steps. Rules are in the files that import this one. */
export class RaftState {
  readonly self: PeerId;
  readonly settings: RaftSettings;
  readonly random: Random;
  readonly log: RaftLog;
  readonly configurations: ConfigurationHistory;
  /** Of the step under way. */
  outbox = new Outbox();

  term: Term;
  vote: PeerId | null;
  /** Term or vote changed in this step. */
  isHardStateDirty = false;
  role: RaftRole = 'follower';
  leader: PeerId | null = null;

  /** Highest index known to be on a quorum. Invariant: applied <= commit <= last. */
  commitIndex: LogIndex;
  appliedIndex: LogIndex;
  /** Highest index that was handed out to be applied. */
  releasedIndex: LogIndex;

  /** Credited time since this life of the process began. */
  aliveMs = 0;
  electionElapsedMs = 0;
  electionTimeoutMs = 0;
  /** Answers to the present (pre-)campaign. */
  ballot = new Map<PeerId, boolean>();
  /** Batch that makes the own vote durable. */
  ownVoteSequence = 0;

  /** Present exactly while the role is leader. */
  leadership: Leadership | null = null;
  transfer: PendingTransfer | null = null;
  readonly forwarded: ForwardedReads;
  isDiskStalled = false;
  /** Base of the snapshot that is being installed. */
  installing: LogBase | null = null;

  constructor(init: RaftInit, random: Random) {
    const { base, appliedIndex, lastIndex } = init;
    assert(
      appliedIndex >= base.index && appliedIndex <= lastIndex,
      `Applied index ${appliedIndex} must lie in the log ${base.index}..${lastIndex}`,
    );
    this.self = init.self;
    this.settings = init.settings;
    this.random = random;
    this.log = new RaftLog(init);
    this.configurations = new ConfigurationHistory(base, init.configurations);
    assert(
      this.log.lastTerm <= init.hardState.term,
      `Term ${init.hardState.term} must cover the log's last term ${this.log.lastTerm}`,
    );
    this.term = init.hardState.term;
    this.vote = init.hardState.vote;
    this.commitIndex = maxIndex(appliedIndex, base.index);
    this.appliedIndex = appliedIndex;
    this.releasedIndex = this.commitIndex;
    const requestId = random.intBelow(2 ** 31) * 2 ** 20;
    this.forwarded = { requestId, asked: [], waiting: [], elapsedMs: 0 };
    this.resetElectionTimer();
  }

  /** Starts the timer again with a new timeout in [min, 2 * min) (Raft 5.2). */
  resetElectionTimer(): void {
    const min = this.settings.electionTimeoutMsMin;
    this.electionElapsedMs = 0;
    this.electionTimeoutMs = min + this.random.intBelow(min);
  }

  /** What every message of this node says first. */
  head(to: PeerId): { readonly from: PeerId; readonly to: PeerId; readonly term: Term } {
    return { from: this.self, to, term: this.term };
  }

  /** Moves to a term in which this node has not voted. */
  adoptTerm(term: Term): void {
    assert(term > this.term, `Term must grow from ${this.term}, got ${term}`);
    this.term = term;
    this.vote = null;
    this.isHardStateDirty = true;
  }

  castVote(candidate: PeerId): void {
    if (this.vote === candidate) return;
    assert(this.vote === null, `Vote of term ${this.term} must be cast once`);
    this.vote = candidate;
    this.isHardStateDirty = true;
  }

  get isSoleVoter(): boolean {
    const { voters, outgoing } = this.configurations.electorate;
    return voters.length === 1 && voters[0] === this.self && outgoing.length === 0;
  }

  /** This node's configuration in force was appended, rolled back or committed. */
  announceConfiguration(): void {
    this.outbox.configuration = this.configurations.current;
  }
}
