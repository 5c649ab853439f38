import type { LogBase } from '../../raft/index.ts';
import type { Cancel, Clock, Logger, LogIndex } from '../../shared/index.ts';
import { asIndex } from '../../shared/index.ts';
import type { LogUsage } from '../../storage/index.ts';
import type { DiskRoom } from './disk-room.ts';

/** On a disk that is nearly full so much less stays for followers. */
const lowKeepDivisor = 10;

export interface CompactionSettings {
  /** The log is cut when it holds more applied entries than this... */
  readonly entriesMax: number;
  /** ... or takes more bytes than this on disk. */
  readonly bytesMax: number;
  /** Applied entries that stay for followers that are a little behind. */
  readonly keepEntries: number;
  readonly checkMs: number;
}

export interface CompactorInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: CompactionSettings;
  readonly baseIndex: () => LogIndex;
  readonly appliedIndex: () => LogIndex;
  readonly logUsage: () => LogUsage;
  readonly room: () => DiskRoom;
  /** The state is being replaced: there is nothing to flush now. */
  readonly isBusy: () => boolean;
  /** Makes the applied state durable; resolves with the index that is. */
  readonly flush: () => Promise<LogIndex>;
  /** The log should not be cut above this; null: no peer needs it. */
  readonly pinnedIndex: () => LogIndex | null;
  readonly baseAt: (index: LogIndex) => LogBase;
  readonly compact: (base: LogBase) => Promise<void>;
  readonly onFatal: (error: unknown) => void;
}

/** Cuts the log below what the engine has made durable, never above a transfer's pin. */
export class Compactor {
  readonly #init: CompactorInit;
  #cancel: Cancel = () => undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(init: CompactorInit) {
    this.#init = init;
  }

  start(): void {
    this.#cancel = this.#init.clock.after(this.#init.settings.checkMs, () => {
      this.#running = this.#check().then(
        () => (this.#stopped ? undefined : this.start()),
        (error: unknown) => this.#init.onFatal(error),
      );
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  async #check(): Promise<void> {
    const { baseIndex, appliedIndex, isBusy } = this.#init;
    if (isBusy()) return;
    const held = appliedIndex() - baseIndex();
    const keep = this.#keepOf(held);
    if (held > keep) await this.#compactTo(appliedIndex() - keep);
  }

  /** How many of so many applied entries stay; all of them when there is no need to cut. */
  #keepOf(held: number): number {
    const { settings, logUsage, room } = this.#init;
    const { entriesMax, bytesMax, keepEntries } = settings;
    const { bytes, segments } = logUsage();
    const quarter = Math.max(1, Math.floor(held / 4));
    let keep = held;
    if (held > entriesMax) keep = keepEntries;
    else if (bytes > bytesMax) keep = Math.min(keepEntries, quarter);
    // The segment in use stays whatever is cut.
    if (room() === 'enough' || segments === 1) return keep;
    const few = Math.floor(keepEntries / lowKeepDivisor);
    return Math.min(keep, few, room() === 'none' ? quarter : held);
  }

  async #compactTo(wanted: number): Promise<void> {
    const { flush, baseAt, compact, baseIndex } = this.#init;
    const durable = await flush();
    const index = Math.min(wanted, durable, this.#pinnedIndex(wanted));
    if (index <= baseIndex() || this.#stopped) return;
    await compact(baseAt(asIndex(index)));
  }

  /** A log of twice the size, or without a next segment, is cut all the same: transfers can begin again. */
  #pinnedIndex(wanted: number): number {
    const { settings, pinnedIndex, logUsage, room, logger } = this.#init;
    const pinned = pinnedIndex() ?? Infinity;
    const { bytes } = logUsage();
    const mayStay = bytes <= 2 * settings.bytesMax && room() !== 'none';
    if (pinned >= wanted || mayStay) return pinned;
    const message = 'Cutting the log that a peer still needs: its snapshot has to be sent again';
    logger.warn({ bytes, pinned, wanted }, message);
    return Infinity;
  }
}
