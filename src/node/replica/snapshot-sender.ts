import type { LogBase } from '../../raft/index.ts';
import type { ClusterId, Clock, Logger, LogIndex, PeerId, Term } from '../../shared/index.ts';
import { asIndex } from '../../shared/index.ts';
import type { Files, SpoolableEngine, StoredSnapshot } from '../../storage/index.ts';
import { listSnapshots, openSnapshot, spoolSnapshot } from '../../storage/index.ts';
import type { SnapshotSource } from '../../transport/index.ts';
import { encodeSnapshotIdentity } from './snapshot-offer.ts';

/** Pause after a failed transfer before the core may ask for it again. */
const failurePauseMs = 500;

export interface SnapshotSenderInit {
  readonly files: Files;
  readonly directory: string;
  readonly clusterId: ClusterId;
  readonly chunkBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly engine: () => SpoolableEngine;
  readonly term: () => Term;
  /** First index that the log still has. */
  readonly firstIndex: () => LogIndex;
  readonly baseAt: (index: LogIndex) => LogBase;
  readonly send: (to: PeerId, source: SnapshotSource, signal: AbortSignal) => Promise<void>;
  readonly onSent: (to: PeerId, index: LogIndex, ok: boolean) => void;
}

/** Streams snapshots to peers whose next entry is gone; all of them share one spooled file. */
export class SnapshotSender {
  readonly #init: SnapshotSenderInit;
  /** Transfers under way, with the index after which the log must stay. */
  readonly #transfers = new Map<PeerId, LogIndex>();
  readonly #abort = new AbortController();
  #spooling: Promise<string> | null = null;

  constructor(init: SnapshotSenderInit) {
    this.#init = init;
  }

  /** The log must not be cut above this index; null: no transfer is under way. */
  get pinnedIndex(): LogIndex | null {
    if (this.#transfers.size === 0) return null;
    return asIndex(Math.min(...this.#transfers.values()));
  }

  send(to: PeerId): void {
    if (this.#transfers.has(to) || this.#abort.signal.aborted) return;
    this.#transfers.set(to, asIndex(this.#init.firstIndex() - 1));
    void this.#transfer(to);
  }

  stop(): void {
    this.#abort.abort();
  }

  async #transfer(to: PeerId): Promise<void> {
    const { logger, clock, onSent } = this.#init;
    let index = asIndex(0);
    let ok = false;
    try {
      index = await this.#stream(to);
      ok = true;
    } catch (error) {
      logger.warn({ to, error }, 'Cannot send a snapshot yet');
      await new Promise<void>((resolve) => clock.after(failurePauseMs, resolve));
    }
    this.#transfers.delete(to);
    if (!this.#abort.signal.aborted) onSent(to, index, ok);
  }

  async #stream(to: PeerId): Promise<LogIndex> {
    const snapshot = await openSnapshot(this.#init.files, await this.#snapshotPath());
    try {
      const { base } = snapshot.meta;
      this.#transfers.set(to, base.index);
      this.#init.logger.info(
        { to, index: base.index, bytes: snapshot.meta.bytes },
        'Sending a snapshot',
      );
      await this.#init.send(to, this.#sourceOf(snapshot), this.#abort.signal);
      return base.index;
    } finally {
      await snapshot.close();
    }
  }

  #sourceOf(snapshot: StoredSnapshot): SnapshotSource {
    const { meta } = snapshot;
    return {
      offer: {
        term: this.#init.term(),
        header: encodeSnapshotIdentity(meta),
        resumeKey: meta.hash,
        chunkCount: meta.chunkCount,
      },
      readChunk: (number) => snapshot.readChunk(number),
    };
  }

  /** The newest file if the log goes on where it ends, else a new one. */
  async #snapshotPath(): Promise<string> {
    const { files, directory, firstIndex } = this.#init;
    const [newest] = await listSnapshots(files, directory);
    if (newest !== undefined && newest.index >= firstIndex() - 1 && this.#spooling === null) {
      return newest.path;
    }
    this.#spooling ??= this.#spool().finally(() => (this.#spooling = null));
    return this.#spooling;
  }

  async #spool(): Promise<string> {
    const { engine, files, directory, clusterId, chunkBytes, baseAt } = this.#init;
    await engine().flush();
    const { signal } = this.#abort;
    const { path } = await spoolSnapshot({
      engine: engine(),
      files,
      directory,
      clusterId,
      chunkBytes,
      baseAt,
      signal,
    });
    return path;
  }
}
