import type { Entry, LogBase, LogStore, PersistBatch, RecoveredLog } from '../../raft/index.ts';
import { assert, QuorateError } from '../../shared/index.ts';
import type { LogIndex } from '../../shared/index.ts';
import { putEntries, putHead } from './bodies.ts';
import { asStorageWork } from './damage.ts';
import { Lane } from './lane.ts';
import { LogReader } from './log-reader.ts';
import type { LogState } from './log-state.ts';
import { LogWriter } from './log-writer.ts';
import type { LogPlace, Recovery } from './recovery.ts';
import { SpareSegments } from './spares.ts';
import { splitBatch } from './split-batch.ts';

/** How much disk the log takes. */
export interface LogUsage {
  readonly segments: number;
  readonly spareSegments: number;
  /** Of all segments, spare ones included. */
  readonly bytes: number;
}

/** The log on disk. Made by `openLog` and `createLog`. */
export class SegmentedLog implements LogStore {
  readonly recovered: RecoveredLog;
  readonly #place: LogPlace;
  readonly #state: LogState;
  readonly #spares: SpareSegments;
  readonly #writer: LogWriter;
  readonly #reader: LogReader;
  readonly #writes = new Lane();
  readonly #drops = new Lane();
  #failure: unknown = null;
  #closed = false;

  constructor(place: LogPlace, recovery: Recovery) {
    const { recovered, state, end, spares } = recovery;
    this.recovered = recovered;
    this.#place = place;
    this.#state = state;
    this.#spares = new SpareSegments(place, end.lastRecord.sequence, spares);
    this.#writer = new LogWriter(recovery, this.#spares);
    this.#reader = new LogReader(state, (sequence) => this.#writer.readable(sequence));
  }

  /** Finishes deletions that a crash interrupted and begins to prepare spare segments. */
  start(): Promise<void> {
    return this.#guard(this.#drops, () => this.#dropSegments());
  }

  usage(): LogUsage {
    const { segments } = this.#writer;
    const used = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    return {
      segments: segments.length,
      spareSegments: this.#spares.count,
      bytes: used + this.#spares.count * this.#place.settings.segmentBytes,
    };
  }

  /** Fills up the spare segments in the background, as far as the disk has room by now. */
  prepareSpares(): void {
    this.#spares.prepare();
  }

  write(batch: PersistBatch): Promise<void> {
    return this.#guard(this.#writes, () => this.#writeBatch(batch));
  }

  async read(from: LogIndex, to: LogIndex, bytesMax: number): Promise<readonly Entry[]> {
    this.#checkOpen();
    return asStorageWork('read the log', this.#place.directory, () =>
      this.#reader.read({ from, to, bytesMax }),
    );
  }

  async installBase(base: LogBase, generation: number): Promise<void> {
    await this.#guard(this.#writes, async () => {
      const { base: older, lastIndex } = this.#state;
      assert(base.index >= older.index, `Base ${base.index} is not below base ${older.index}`);
      const isHeld = this.#state.termAt(base.index) === base.term;
      await this.#writeBase(base, generation, isHeld ? lastIndex : base.index);
    });
    await this.#guard(this.#drops, () => this.#dropSegments());
  }

  async compact(base: LogBase): Promise<void> {
    await this.#guard(this.#writes, async () => {
      const { base: older, generation, lastIndex } = this.#state;
      if (base.index <= older.index) return;
      const term = this.#state.termAt(base.index);
      assert(term === base.term, `Base ${base.index} of term ${base.term} has term ${term ?? '-'}`);
      await this.#writeBase(base, generation, lastIndex);
    });
    await this.#guard(this.#drops, () => this.#dropSegments());
  }

  /** Waits for what is under way; every later call is refused. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writes.run(() => this.#spares.stop());
    await this.#drops.run(async () => {
      for (const segment of this.#writer.segments) await segment.retire();
    });
  }

  /** One after the other in `lane`; after a failure nothing is tried again. */
  #guard(lane: Lane, work: () => Promise<void>): Promise<void> {
    return lane.run(async () => {
      this.#checkOpen();
      if (this.#failure !== null) {
        const text = 'Cannot write the log as durable history: it failed before';
        throw new QuorateError('STORAGE_FAILED', text, { cause: this.#failure });
      }
      try {
        await asStorageWork('write the log', this.#place.directory, work);
      } catch (cause) {
        this.#failure = cause;
        throw cause;
      }
    });
  }

  #checkOpen(): void {
    if (this.#closed) throw new QuorateError('STOPPED', 'Cannot use the log: it is closed');
  }

  async #writeBatch(batch: PersistBatch): Promise<void> {
    const hardState = batch.hardState ?? this.#state.hardState;
    const [first] = batch.entries;
    assert(!first || this.#state.meets(first.index), `Entry ${first?.index ?? 0} meets the log`);
    for (const entries of splitBatch(batch.entries, hardState, this.#place.settings)) {
      const location = await this.#writer.append('entries', (body) => {
        putEntries(body, { hardState, entries });
      });
      this.#state.hardState = hardState;
      if (entries.length > 0) this.#state.putEntries(entries, location);
    }
  }

  async #writeBase(base: LogBase, generation: number, lastIndex: LogIndex): Promise<void> {
    const { hardState } = this.#state;
    await this.#writer.append('base', (body) => {
      putHead(body, { hardState, base, generation, lastIndex });
    });
    this.#state.putBase(base, generation, lastIndex);
  }

  /** Deletes segments without a live entry, oldest first, so that a crash leaves no gap. */
  async #dropSegments(): Promise<void> {
    const { files, directory } = this.#place;
    for (;;) {
      const segment = this.#writer.takeOldestBelow(this.#state.records.firstSequence ?? Infinity);
      if (!segment) break;
      await segment.retire();
      await files.remove(segment.path);
      await files.syncDirectory(directory);
    }
    this.#spares.prepare();
  }
}
