import type { Entry, HardState, LogStore, PersistBatch, RaftMessage } from '../../raft/index.ts';
import type { Clock } from '../../shared/index.ts';
import { asIndex, assert } from '../../shared/index.ts';

/** Lots of messages that wait for a write; a disk that hangs longer than that loses the newest. */
const heldMax = 16_384;

interface HeldMessages {
  readonly afterSequence: number;
  readonly messages: readonly RaftMessage[];
}

export interface PersisterInit {
  readonly log: LogStore;
  readonly clock: Clock;
  /** Everything up to this sequence is durable. Called before the held messages leave. */
  readonly onPersisted: (sequence: number) => void;
  /** The messages that waited for a write were handed over. */
  readonly onReleased: () => void;
  /** No write is in flight and none waits: a good moment to hand in the next group. */
  readonly onIdle: () => void;
  /** A write took so many milliseconds and carried so many bytes of payload. */
  readonly onWritten: (ms: number, bytes: number) => void;
  readonly send: (messages: readonly RaftMessage[]) => void;
  /** A write failed: the process must stop. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * Makes batches durable: one write in flight, what comes meanwhile is merged into the next
 * (group commit). Messages that depend on a batch leave after it, in order.
 */
export class Persister {
  readonly #init: PersisterInit;
  #waiting: PersistBatch[] = [];
  #held: HeldMessages[] = [];
  #writingSinceMs: number | null = null;
  #paused = false;
  #idle: (() => void)[] = [];
  #durableSequence = 0;
  #failed = false;

  constructor(init: PersisterInit) {
    this.#init = init;
  }

  get isWriting(): boolean {
    return this.#writingSinceMs !== null;
  }

  /** Age of the write in flight in milliseconds; 0 when there is none. */
  get oldestWriteAgeMs(): number {
    return this.#writingSinceMs === null
      ? 0
      : this.#init.clock.monotonicMs() - this.#writingSinceMs;
  }

  persist(batch: PersistBatch): void {
    this.#waiting.push(batch);
    if (!this.isWriting && !this.#paused) void this.#write();
  }

  /** Sends at once when the batch they wait for is durable, else after it. */
  sendAfter(afterSequence: number, messages: readonly RaftMessage[]): void {
    if (messages.length === 0) return;
    if (this.#held.length === 0 && afterSequence <= this.#durableSequence) {
      this.#init.send(messages);
    } else if (this.#held.length < heldMax) {
      // Beyond the bound they are lost, as on a network: who needs them asks again.
      this.#held.push({ afterSequence, messages });
    }
  }

  /** Resolves when all that came is written, or never will be; nothing more is until `resume`. */
  async pause(): Promise<void> {
    while (this.isWriting && !this.#failed) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#waiting.length > 0 && !this.isWriting) void this.#write();
    else this.#init.onIdle();
  }

  async #write(): Promise<void> {
    this.#writingSinceMs = this.#init.clock.monotonicMs();
    try {
      while (this.#waiting.length > 0) {
        const batch = mergeBatches(this.#waiting);
        this.#waiting = [];
        const startedAtMs = this.#init.clock.monotonicMs();
        this.#writingSinceMs = startedAtMs;
        await this.#init.log.write(batch);
        this.#init.onWritten(this.#init.clock.monotonicMs() - startedAtMs, bytesOf(batch));
        this.#written(batch);
      }
    } catch (error) {
      // The handle is never tried again, so #writingSinceMs stays set and nothing more is written.
      this.#failed = true;
      this.#init.onFatal(error);
      this.#wakeIdle();
      return;
    }
    this.#writingSinceMs = null;
    this.#wakeIdle();
    this.#init.onIdle();
  }

  #wakeIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #written(batch: PersistBatch): void {
    this.#durableSequence = batch.sequence;
    this.#init.onPersisted(batch.sequence);
    this.#release();
    this.#init.onReleased();
  }

  #release(): void {
    while (this.#held[0] !== undefined && this.#held[0].afterSequence <= this.#durableSequence) {
      const held = this.#held.shift();
      if (held !== undefined) this.#init.send(held.messages);
    }
  }
}

function bytesOf({ entries }: PersistBatch): number {
  let bytes = 0;
  for (const { payload } of entries) bytes += payload.length;
  return bytes;
}

/** One batch with the effect of all of them in order: later entries replace what they overlap. */
export function mergeBatches(batches: readonly PersistBatch[]): PersistBatch {
  const last = batches.at(-1);
  assert(last !== undefined, 'There is a batch to merge');
  if (batches.length === 1) return last;
  let entries: Entry[] = [];
  let hardState: HardState | undefined;
  for (const batch of batches) {
    hardState = batch.hardState ?? hardState;
    entries = mergeEntries(entries, batch.entries);
  }
  return { sequence: last.sequence, entries, ...(hardState !== undefined && { hardState }) };
}

function mergeEntries(held: Entry[], next: readonly Entry[]): Entry[] {
  const first = next[0];
  const heldFirst = held[0];
  if (first === undefined) return held;
  if (heldFirst === undefined || first.index <= heldFirst.index) return [...next];
  const keep = first.index - heldFirst.index;
  assert(keep <= held.length, `Entries are contiguous at index ${asIndex(first.index)}`);
  held.length = keep;
  for (const entry of next) held.push(entry);
  return held;
}
