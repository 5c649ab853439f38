import { dirname } from 'node:path';
import { emptyConfiguration } from '../../raft/index.ts';
import type { Configuration, LogBase, LogIdentity } from '../../raft/index.ts';
import type { Logger } from '../../shared/index.ts';
import { asIndex, asTerm, codeOf, fromUtf8, QuorateError, utf8 } from '../../shared/index.ts';
import type { Files, Kv, KvFactory, LogSettings, SegmentedLog } from '../../storage/index.ts';
import { createLog, openLog, writeFully } from '../../storage/index.ts';

export interface DataDirectoryInit {
  readonly files: Files;
  readonly kvFactory: KvFactory;
  readonly path: string;
  readonly logSettings: LogSettings;
  readonly logger: Logger;
}

const firstGeneration = 1;

/** The data directory of a node: locked for this process, with the log in it. */
export class DataDirectory {
  readonly #init: DataDirectoryInit;
  readonly #lock: Kv;
  #saving: Promise<void> = Promise.resolve();

  private constructor(init: DataDirectoryInit, lock: Kv) {
    this.#init = init;
    this.#lock = lock;
  }

  /** Throws DATA_DIRECTORY_LOCKED, or STORAGE_FAILED when it cannot be written. */
  static async open(init: DataDirectoryInit): Promise<DataDirectory> {
    const { files, kvFactory, path } = init;
    try {
      await makeDirectories(files, path);
    } catch (cause) {
      throw cannotUse(path, cause);
    }
    // The database stays empty: the kernel frees its lock when the process ends, however it ends.
    const lock = await kvFactory.open(`${path}/lock`).catch((cause: unknown) => {
      if (codeOf(cause) !== 'DATA_DIRECTORY_LOCKED') throw cause;
      const message = `Cannot use ${path} as --dataDir: another daemon uses it`;
      throw new QuorateError('DATA_DIRECTORY_LOCKED', message, { cause });
    });
    return new DataDirectory(init, lock);
  }

  get path(): string {
    return this.#init.path;
  }

  /** null: the directory holds no log. Throws STORAGE_DAMAGED. */
  openLog(): Promise<SegmentedLog | null> {
    return openLog(this.#place());
  }

  /** The log of a new cluster (with its first configuration) or of a node that is to join one. */
  async createLog(
    identity: LogIdentity,
    configuration: Configuration = emptyConfiguration,
  ): Promise<SegmentedLog> {
    await this.#removeState(); // A crash may have left it behind when the log was gone already.
    const index = asIndex(0);
    const base: LogBase = { index, term: asTerm(0), configuration: { index, configuration } };
    return createLog({ ...this.#place(), identity, base, generation: firstGeneration });
  }

  /**
   * Forgets log, state and snapshots; they must be closed. The node is a blank one from the moment
   * the log has another name, however much of it a crash leaves behind.
   */
  async wipe(): Promise<void> {
    const { files, path } = this.#init;
    await files.remove(`${path}/log.old`);
    await files.rename(`${path}/log`, `${path}/log.old`);
    await files.syncDirectory(path);
    await files.remove(`${path}/log.old`);
    await this.#removeState();
  }

  async #removeState(): Promise<void> {
    const { files, kvFactory, path } = this.#init;
    for (const name of await kvFactory.list(path)) {
      if (name.startsWith('state-')) await kvFactory.remove(`${path}/${name}`);
    }
    await files.remove(`${path}/snapshots`);
    await files.syncDirectory(path);
  }

  /** The gossip epoch of this start: above every earlier one. */
  async nextEpoch(wallMs: number): Promise<number> {
    const epoch = Math.max((await this.#readEpoch()) + 1, Math.floor(wallMs));
    await this.saveEpoch(epoch);
    return epoch;
  }

  /** In the order of the calls: the file for the next one is the same. */
  saveEpoch(epoch: number): Promise<void> {
    this.#saving = this.#saving.then(() => this.#writeEpoch(epoch));
    return this.#saving;
  }

  async #writeEpoch(epoch: number): Promise<void> {
    const { files, path } = this.#init;
    const temporary = `${path}/epoch.tmp`;
    await files.remove(temporary);
    const file = await files.open(temporary, 'plain');
    await writeFully(file, 0, utf8(String(epoch)));
    await file.sync();
    await file.close();
    await files.rename(temporary, `${path}/epoch`);
    await files.syncDirectory(path);
  }

  async close(): Promise<void> {
    await this.#lock.close();
  }

  async #readEpoch(): Promise<number> {
    const { files, path } = this.#init;
    const size = await files.sizeOf(`${path}/epoch`);
    if (size === null) return 0;
    const file = await files.open(`${path}/epoch`, 'read');
    const text = fromUtf8(await file.read(0, size));
    await file.close();
    const epoch = Number(text);
    return Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : 0;
  }

  #place() {
    const { files, path, logger, logSettings: settings } = this.#init;
    return { files, directory: `${path}/log`, settings, logger };
  }
}

/** With its parents; each one's entry is durable in the one above. */
async function makeDirectories(files: Files, path: string): Promise<void> {
  if ((await files.list(path)) !== null) return;
  const parent = dirname(path);
  if (parent !== path) await makeDirectories(files, parent);
  await files.makeDirectory(path);
  await files.syncDirectory(parent);
}

function cannotUse(path: string, cause: unknown): QuorateError {
  const found = cause instanceof Error ? cause.message : String(cause);
  return new QuorateError('STORAGE_FAILED', `Cannot use ${path} as --dataDir: ${found}`, { cause });
}
