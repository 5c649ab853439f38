import type { LogBase, LogStore } from '../../raft/index.ts';
import type { Cancel, Clock, Logger, LogIndex } from '../../shared/index.ts';
import { asIndex } from '../../shared/index.ts';
import type { SegmentedLog } from '../../storage/index.ts';
import type { AppliedHistory } from './applied-history.ts';
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
  readonly log: Pick<LogStore, 'compact'> & Pick<SegmentedLog, 'usage'>;
  readonly history: AppliedHistory;
  readonly appliedIndex: () => LogIndex;
  /** The state is being replaced: there is nothing to flush now. */
  readonly isBusy: () => boolean;
  /** Makes the applied state durable; resolves with the index that is. */
  readonly flush: () => Promise<LogIndex>;
  /** The log should not be cut above this; null: no peer needs it. */
  readonly pinnedIndex: () => LogIndex | null;
  /** The log is about to be cut: entries up to there must not be ordered any more. */
  readonly onCut: (base: LogBase) => void;
  readonly onFatal: (error: unknown) => void;
}

/** Cuts the log below what the engine has made durable, never above a transfer's pin. */
export class Compactor {
  readonly #init: CompactorInit;
  #cancel: Cancel = () => undefined;
  #room: DiskRoom = 'enough';
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

  /** What was found on the disk: when it is nearly full the log is cut sooner. */
  onRoom(room: DiskRoom): void {
    this.#room = room;
  }

  async #check(): Promise<void> {
    const { history, appliedIndex, isBusy } = this.#init;
    if (isBusy()) return;
    const held = appliedIndex() - history.baseIndex;
    const keep = this.#keepOf(held);
    if (held > keep) await this.#compactTo(appliedIndex() - keep);
  }

  /** How many of so many applied entries stay; all of them when there is no need to cut. */
  #keepOf(held: number): number {
    const { settings, log } = this.#init;
    const { entriesMax, bytesMax, keepEntries } = settings;
    const { bytes, segments } = log.usage();
    const quarter = Math.max(1, Math.floor(held / 4));
    let keep = held;
    if (held > entriesMax) keep = keepEntries;
    else if (bytes > bytesMax) keep = Math.min(keepEntries, quarter);
    // The segment in use stays whatever is cut.
    if (this.#room === 'enough' || segments === 1) return keep;
    const few = Math.floor(keepEntries / lowKeepDivisor);
    return Math.min(keep, few, this.#room === 'none' ? quarter : held);
  }

  async #compactTo(wanted: number): Promise<void> {
    const { flush, history, log, onCut } = this.#init;
    const durable = await flush();
    const index = Math.min(wanted, durable, this.#pinnedIndex(wanted));
    if (index <= history.baseIndex || this.#stopped) return;
    const base = history.baseAt(asIndex(index));
    history.rebase(base);
    onCut(base);
    await log.compact(base);
  }

  /** A log of twice the size, or without a next segment, is cut all the same: transfers can begin again. */
  #pinnedIndex(wanted: number): number {
    const { settings, pinnedIndex, log, logger } = this.#init;
    const pinned = pinnedIndex() ?? Infinity;
    const { bytes } = log.usage();
    const mayStay = bytes <= 2 * settings.bytesMax && this.#room !== 'none';
    if (pinned >= wanted || mayStay) return pinned;
    const message = 'Cutting the log that a peer still needs: its snapshot has to be sent again';
    logger.warn({ bytes, pinned, wanted }, message);
    return Infinity;
  }
}
