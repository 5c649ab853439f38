import { assert } from '../shared/index.ts';
import type { LogIndex } from '../shared/index.ts';
import { maxIndex, minIndex, next, previous, ZERO_INDEX } from './indexes.ts';
import type { LogRange } from './log.ts';
import type { PeerView } from './step-types.ts';
import type { RaftSettings } from './types.ts';

type WindowLimits = Pick<RaftSettings, 'inflightMessagesMax' | 'inflightBytesMax'>;

/** Rounds in which a learner catches up with what the log held when the round began. */
export interface CatchUp {
  target: LogIndex;
  elapsedMs: number;
  /** The last round was shorter than an election timeout: voting would not hold up the others. */
  isQuick: boolean;
}

/**
 * How far a leader has come with one peer: all transitions are here.
 *
 * - probe: where the logs meet is unknown. One append at a time; no answer, then an empty one with
 *   each heartbeat.
 * - replicate: appends follow each other without waiting, up to the window. When a whole
 *   heartbeat interval brings no progress, an empty append asks where the peer is: its answer
 *   frees the window or leads back to probe, so a full window never stays full.
 * - snapshot: the next entry is gone; nothing is sent until the snapshot's transfer has ended.
 *
 * Invariant: matchIndex < nextIndex.
 */
export class Progress {
  #state: PeerView['state'] = 'probe';
  #matchIndex: LogIndex = ZERO_INDEX;
  #nextIndex: LogIndex;
  /** Ranges sent and not acknowledged, ascending; only while replicating. */
  #inflight: LogRange[] = [];
  #inflightBytes = 0;
  #hasProbed = false;
  #hasProgressed = true;
  /** Something was heard since this leadership began or since the last failed snapshot. */
  hasAnswered = false;
  silentMs = 0;
  /** Highest read round that the peer confirmed. */
  readRound = 0;
  /** Highest commit index that the peer was told and could take over. */
  commitSent: LogIndex = ZERO_INDEX;
  /** For learners only. */
  catchUp: CatchUp | null = null;

  constructor(nextIndex: LogIndex) {
    this.#nextIndex = nextIndex;
  }

  get state(): PeerView['state'] {
    return this.#state;
  }

  get matchIndex(): LogIndex {
    return this.#matchIndex;
  }

  get nextIndex(): LogIndex {
    return this.#nextIndex;
  }

  /** Nothing may be sent but heartbeats and empty appends. */
  isPaused(limits: WindowLimits): boolean {
    if (this.#state === 'probe') return this.#hasProbed;
    if (this.#state === 'snapshot') return true;
    const isFull = this.#inflight.length >= limits.inflightMessagesMax;
    return isFull || this.#inflightBytes >= limits.inflightBytesMax;
  }

  heard(): void {
    this.silentMs = 0;
    this.hasAnswered = true;
  }

  /** An append with entries (or, while probing, with none: `range` null) was sent. */
  sent(range: LogRange | null): void {
    assert(this.#state !== 'snapshot', 'A peer that waits for a snapshot must get no appends');
    if (this.#state === 'probe') {
      this.#hasProbed = true;
      return;
    }
    if (range === null) return;
    this.#inflight.push(range);
    this.#inflightBytes += range.bytes;
    this.#nextIndex = next(range.last);
  }

  /**
   * At each heartbeat: whether an empty append must ask where the peer is, because the last
   * interval brought nothing for what is on its way.
   */
  takeStall(): boolean {
    if (this.#state === 'probe') return true;
    const isStalled = this.#inflight.length > 0 && !this.#hasProgressed;
    this.#hasProgressed = false;
    return isStalled;
  }

  /** The peer holds everything up to `index`. Returns whether that is news. */
  acknowledged(index: LogIndex, base: LogIndex): boolean {
    this.#free(index);
    const isNews = index > this.#matchIndex;
    if (isNews) {
      this.#matchIndex = index;
      this.#hasProgressed = true;
      this.#nextIndex = maxIndex(this.#nextIndex, next(index));
    }
    // While a snapshot is on its way, only an answer from beyond the base makes it needless.
    const meets = index === this.#matchIndex && (this.#state === 'probe' || index >= base);
    if (this.#state !== 'replicate' && meets) this.#replicate();
    return isNews;
  }

  /**
   * The peer lacks `rejected` or has another entry there. `retry`: the next index that can meet
   * its log. Returns false for stale news.
   */
  rejected(rejected: LogIndex, retry: LogIndex): boolean {
    if (this.#state === 'snapshot' || rejected <= this.#matchIndex) return false;
    const isAnswerToProbe = rejected === previous(this.#nextIndex);
    if (this.#state === 'probe' && !isAnswerToProbe) return false;
    this.#probe(maxIndex(minIndex(rejected, retry), next(this.#matchIndex)));
    return true;
  }

  awaitSnapshot(): void {
    this.#enter('snapshot');
  }

  /** The transfer ended. `index`: what the peer is said to hold; a probe will prove it. */
  snapshotEnded(index: LogIndex, ok: boolean): void {
    if (this.#state !== 'snapshot') return;
    // A failed transfer is tried again when the peer shows signs of life, not at once.
    if (!ok) this.hasAnswered = false;
    this.#probe(next(maxIndex(ok ? index : ZERO_INDEX, this.#matchIndex)));
  }

  #replicate(): void {
    this.#enter('replicate');
    this.#nextIndex = next(this.#matchIndex);
    this.#hasProgressed = true;
  }

  #probe(nextIndex: LogIndex): void {
    this.#enter('probe');
    this.#nextIndex = nextIndex;
    this.#hasProbed = false;
  }

  #enter(state: PeerView['state']): void {
    this.#state = state;
    this.#inflight = [];
    this.#inflightBytes = 0;
  }

  #free(index: LogIndex): void {
    let count = 0;
    for (const range of this.#inflight) {
      if (range.last > index) break;
      this.#inflightBytes -= range.bytes;
      count += 1;
    }
    if (count > 0) this.#inflight.splice(0, count);
  }
}
