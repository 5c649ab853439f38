import type { LogBase, RaftView } from '../../raft/index.ts';
import type { ClusterId, Clock, Logger, LogIndex, PeerId, Term } from '../../shared/index.ts';
import { asIndex, codeOf, QuorateError } from '../../shared/index.ts';
import type { Files, SpoolableEngine, StoredSnapshot } from '../../storage/index.ts';
import { isLackOfRoom, listSnapshots, openSnapshot, spoolSnapshot } from '../../storage/index.ts';
import type { SnapshotSource } from '../../transport/index.ts';
import type { PinView } from './log-pins.ts';
import { LogPins } from './log-pins.ts';
import { gentlePace } from './pace.ts';
import type { ReplicaObserver } from './replica-init.ts';
import { encodeSnapshotIdentity } from './snapshot-offer.ts';

/** Pause after a failed transfer before the core may ask for it again. */
const failurePauseMs = 500;
/** After one that failed for lack of room, here or there: that lasts, and each try uses some. */
const roomPauseMs = 5_000;

export interface SnapshotSenderInit {
  readonly files: Files;
  readonly directory: string;
  readonly clusterId: ClusterId;
  readonly chunkBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly engine: () => SpoolableEngine;
  /** About how much its rows take. */
  readonly stateBytes: () => number;
  readonly view: () => Pick<RaftView, 'role' | 'term' | 'firstIndex' | 'lastIndex' | 'peers'>;
  readonly baseAt: (index: LogIndex) => LogBase;
  readonly send: (to: PeerId, source: SnapshotSource, signal: AbortSignal) => Promise<void>;
  readonly observe: ReplicaObserver['snapshot'];
  readonly onSent: (to: PeerId, index: LogIndex, ok: boolean) => void;
}

/** Streams snapshots to peers whose next entry is gone; all of them share one spooled file. */
export class SnapshotSender {
  readonly #init: SnapshotSenderInit;
  readonly #transfers = new Map<PeerId, Promise<void>>();
  readonly #pins = new LogPins();
  readonly #abort = new AbortController();
  #spooling: Promise<string> | null = null;
  #openCount = 0;

  constructor(init: SnapshotSenderInit) {
    this.#init = init;
  }

  /** The log must not be cut above this index; null: no peer needs it. */
  get pinnedIndex(): LogIndex | null {
    return this.#pins.lowest(this.#pinView(), this.#now());
  }

  /** A finished snapshot is being read. */
  get isReading(): boolean {
    return this.#openCount > 0;
  }

  send(to: PeerId): void {
    if (this.#transfers.has(to) || this.#abort.signal.aborted) return;
    this.#pins.keepOnly(this.#pinView());
    this.#pins.pin(to, asIndex(this.#init.view().firstIndex - 1), this.#now());
    this.#transfers.set(to, this.#transfer(to));
  }

  /** Calls transfers off; resolves when none of them touches disk or engine any more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#transfers.values());
  }

  #pinView(): PinView {
    const { peers, lastIndex } = this.#init.view();
    return { peers, lastIndex, sending: this.#transfers };
  }

  async #transfer(to: PeerId): Promise<void> {
    let index = asIndex(0);
    let ok = false;
    try {
      index = await this.#stream(to, await this.#snapshotPath());
      ok = true;
    } catch (error) {
      await this.#failed(to, error);
    }
    this.#transfers.delete(to);
    if (this.#abort.signal.aborted) return;
    this.#init.observe('sent', ok ? 'ok' : 'failed');
    if (ok) this.#pins.arrived(to, this.#init.view().lastIndex, this.#now());
    this.#init.onSent(to, index, ok);
  }

  async #failed(to: PeerId, error: unknown): Promise<void> {
    const { logger, clock } = this.#init;
    const { signal } = this.#abort;
    if (signal.aborted) return;
    logger.warn({ to, error }, `Cannot send a snapshot to ${to} yet, trying again`);
    const lacksRoom = isLackOfRoom(error);
    // There is nothing to follow it yet, and the disk may need the log to be cut.
    if (lacksRoom) this.#pins.release(to);
    await pauseUnless(signal, clock, lacksRoom ? roomPauseMs : failurePauseMs);
  }

  async #stream(to: PeerId, path: string): Promise<LogIndex> {
    this.#openCount++;
    try {
      return await this.#streamFile(to, path);
    } finally {
      this.#openCount--;
    }
  }

  async #streamFile(to: PeerId, path: string): Promise<LogIndex> {
    const snapshot = await this.#open(path);
    try {
      const { index } = snapshot.meta.base;
      this.#pins.pin(to, index, this.#now());
      this.#init.logger.info({ to, index, bytes: snapshot.meta.bytes }, `Sending ${to} a snapshot`);
      await this.#init.send(to, this.#sourceOf(to, snapshot), this.#abort.signal);
      return index;
    } catch (error) {
      if (isBadFile(error)) await this.#init.files.remove(path);
      throw error;
    } finally {
      await snapshot.close();
    }
  }

  async #open(path: string): Promise<StoredSnapshot> {
    try {
      return await openSnapshot(this.#init.files, path);
    } catch (error) {
      if (isBadFile(error)) await this.#init.files.remove(path);
      throw error;
    }
  }

  /**
   * Ends with the office: the next leader may have to send one of its own. The term on offer is
   * one that this node leads: the receiver will follow it.
   */
  #sourceOf(to: PeerId, snapshot: StoredSnapshot): SnapshotSource {
    const { meta } = snapshot;
    const term = this.#termOfOffice();
    if (term === null) throw leadsNoMore();
    const rest = gentlePace(this.#init.clock);
    return {
      offer: {
        term,
        header: encodeSnapshotIdentity(meta),
        resumeKey: meta.hash,
        chunkCount: meta.chunkCount,
      },
      readChunk: async (number) => {
        if (this.#termOfOffice() !== term) throw leadsNoMore();
        this.#pins.moved(to, { snapshot: meta.base.index, number }, this.#now());
        await rest();
        return snapshot.readChunk(number);
      },
    };
  }

  /** null: another node leads, or none. */
  #termOfOffice(): Term | null {
    const { role, term } = this.#init.view();
    return role === 'leader' ? term : null;
  }

  /** The newest file if the log goes on where it ends, else a new one. */
  async #snapshotPath(): Promise<string> {
    const { files, directory, view } = this.#init;
    const [newest] = await listSnapshots(files, directory);
    const isEnough = newest !== undefined && newest.index >= view().firstIndex - 1;
    if (isEnough && this.#spooling === null) return newest.path;
    this.#spooling ??= this.#measured(this.#spool()).finally(() => (this.#spooling = null));
    return this.#spooling;
  }

  #measured(spooled: Promise<string>): Promise<string> {
    const { observe } = this.#init;
    spooled.then(
      () => observe('made', 'ok'),
      () => observe('made', 'failed'),
    );
    return spooled;
  }

  #now(): number {
    return this.#init.clock.monotonicMs();
  }

  async #spool(): Promise<string> {
    const { engine, stateBytes, files, directory, clusterId, chunkBytes, baseAt, clock } =
      this.#init;
    await engine().flush();
    const { signal } = this.#abort;
    const { path } = await spoolSnapshot({
      engine: engine(),
      files,
      directory,
      clusterId,
      chunkBytes,
      stateBytes: stateBytes(),
      baseAt,
      rest: gentlePace(clock),
      signal,
    });
    return path;
  }
}

const leadsNoMore = (): QuorateError =>
  new QuorateError('NOT_LEADER', 'Cannot send the snapshot: this node does not lead any more');

/** The file is damaged, here or in the eyes of its receiver: the next transfer takes another. */
function isBadFile(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'STORAGE_DAMAGED' || code === 'PARAM_INVALID';
}

/** Ends sooner when the signal comes. */
function pauseUnless(signal: AbortSignal, clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal.addEventListener('abort', end);
  });
}
