import type { Reply } from '../../raft/index.ts';
import type { Cancel, Clock } from '../../shared/index.ts';
import { QuorateError } from '../../shared/index.ts';
import type { Applier } from './applier.ts';
import type { RaftDriver } from './raft-driver.ts';

/** Reads of this node's clients that wait for their index; more are refused as overloaded. */
const openMax = 65_536;
const sweepMs = 50;
/** Rounds that are asked for or wait to be applied; further reads wait for one of them to end. */
const roundsMax = 1_024;

interface Read {
  readonly deadlineMs: number;
  settled: boolean;
  readonly resolve: () => void;
  readonly reject: (error: QuorateError) => void;
}

/** Makes reads linearizable: those of one turn of the event loop share a read index. */
export class ReadClient {
  readonly #driver: Pick<RaftDriver, 'tag' | 'submit'>;
  readonly #applier: Pick<Applier, 'whenApplied'>;
  readonly #clock: Clock;
  #waiting: Read[] = [];
  /** Their lease ran out while they waited to be applied: they need a round. */
  #outOfLease: Read[] = [];
  #refused: Read[] = [];
  #openCount = 0;
  #roundPlanned = false;
  #underWay = new Set<readonly Read[]>();
  #cancelSweep: Cancel | null = null;
  #stopped = false;

  constructor(
    driver: Pick<RaftDriver, 'tag' | 'submit'>,
    applier: Pick<Applier, 'whenApplied'>,
    clock: Clock,
  ) {
    this.#driver = driver;
    this.#applier = applier;
    this.#clock = clock;
  }

  /**
   * Resolves when what this node has applied is new enough for a read that begins now. Rejects with
   * NO_LEADER when nobody confirms that in time, OVERLOADED, or STOPPED.
   */
  barrier(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(new QuorateError('STOPPED', 'Cannot read: the node stops'));
        return;
      }
      if (this.#openCount >= openMax) {
        reject(new QuorateError('OVERLOADED', 'Cannot take the read: too many are under way'));
        return;
      }
      this.#openCount++;
      const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
      this.#waiting.push({ deadlineMs, settled: false, resolve, reject });
      this.#planRound();
      this.#cancelSweep ??= this.#clock.after(sweepMs, () => this.#sweep());
    });
  }

  onLeaderChange(): void {
    this.#retryRefused();
  }

  /** The node stops. */
  abandon(): void {
    this.#stopped = true;
    this.#cancelSweep?.();
    for (const read of this.#all()) this.#fail(read, 'STOPPED', 'the node stops');
  }

  #planRound(): void {
    if (this.#roundPlanned || this.#underWay.size >= roundsMax) return;
    this.#roundPlanned = true;
    this.#clock.afterPendingInput(() => {
      this.#roundPlanned = false;
      this.#startRound();
    });
  }

  #startRound(): void {
    this.#ask(this.#waiting.splice(0), this.#clock.monotonicMs());
    this.#ask(this.#outOfLease.splice(0));
  }

  /** `nowMs`: now; without it a lease does not count. */
  #ask(asked: readonly Read[], nowMs?: number): void {
    const reads = asked.filter((read) => !read.settled);
    if (reads.length === 0) return;
    this.#underWay.add(reads);
    const tag = this.#driver.tag((reply) => this.#onReply(reads, reply));
    this.#driver.submit({ kind: 'read', tag, ...(nowMs !== undefined && { nowMs }) });
  }

  #onReply(reads: readonly Read[], reply: Reply): void {
    if (reply.kind !== 'readAt') {
      this.#endRound(reads);
      this.#refused.push(...reads.filter((read) => !read.settled));
      return;
    }
    const { index, leaseUntilMs = Infinity } = reply;
    this.#applier.whenApplied(index, () => {
      this.#endRound(reads);
      // The state at hand holds all that was committed at some moment before this one.
      if (this.#clock.monotonicMs() >= leaseUntilMs) {
        this.#outOfLease.push(...reads);
        this.#planRound();
        return;
      }
      for (const read of reads) if (this.#settle(read)) read.resolve();
    });
  }

  #endRound(reads: readonly Read[]): void {
    this.#underWay.delete(reads);
    if (this.#waiting.length > 0 || this.#outOfLease.length > 0) this.#planRound();
  }

  /** A read changes nothing, so a refused one may always be asked again. */
  #retryRefused(): void {
    if (this.#refused.length === 0) return;
    this.#waiting.push(...this.#refused.splice(0));
    this.#planRound();
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const nowMs = this.#clock.monotonicMs();
    for (const read of this.#all()) {
      if (nowMs >= read.deadlineMs) this.#fail(read, 'NO_LEADER', 'no leader confirmed in time');
    }
    this.#forgetSettled();
    this.#retryRefused();
    if (this.#openCount > 0) this.#cancelSweep = this.#clock.after(sweepMs, () => this.#sweep());
  }

  #forgetSettled(): void {
    const isOpen = ({ settled }: Read): boolean => !settled;
    this.#waiting = this.#waiting.filter(isOpen);
    this.#outOfLease = this.#outOfLease.filter(isOpen);
    this.#refused = this.#refused.filter(isOpen);
  }

  *#all(): Iterable<Read> {
    yield* this.#waiting;
    yield* this.#outOfLease;
    yield* this.#refused;
    for (const reads of this.#underWay) yield* reads;
  }

  #fail(read: Read, code: 'NO_LEADER' | 'STOPPED', found: string): void {
    if (this.#settle(read)) read.reject(new QuorateError(code, `Cannot read: ${found}`));
  }

  #settle(read: Read): boolean {
    if (read.settled) return false;
    read.settled = true;
    this.#openCount--;
    return true;
  }
}
