import { dirname } from 'node:path';
import { emptyConfiguration } from '../../raft/index.ts';
import type { Configuration, LogBase, LogIdentity } from '../../raft/index.ts';
import type { Logger } from '../../shared/index.ts';
import { asIndex, asTerm, codeOf, QuorateError } from '../../shared/index.ts';
import type {
  Files,
  Kv,
  KvFactory,
  LogInspection,
  LogSettings,
  SegmentedLog,
} from '../../storage/index.ts';
import { createLog, inspectLog, openLog } from '../../storage/index.ts';
import { takeDataLock } from '../data-lock.ts';
import type { Fence } from './fence.ts';
import { encodeFence, Fenced, fenceFile, isFencedBy, readFence } from './fence.ts';
import { readSmallFile, writeSmallFile } from './small-file.ts';

export interface DataDirectoryInit {
  readonly files: Files;
  readonly kvFactory: KvFactory;
  readonly path: string;
  readonly logSettings: LogSettings;
  readonly logger: Logger;
}

const firstGeneration = 1;

/**
 * Says that this node was in a cluster and is to be let in again: it must not create one. Holds HTTP
 * addresses of members, one a line. Gone as soon as there is a log.
 */
const rejoiningName = 'rejoining';
/** Says why the data must not be used any more; goes with it. */
export const condemnedName = 'condemned';
/** The log that a recovery makes lies here until it takes the place of the old one. */
export const unfinishedLogName = 'log.recovered';
/** Data that could not be trusted; only the newest is kept. */
const asidePrefix = 'damaged-';
const stateName = /^state-\d+$/;

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
    const lock = await takeDataLock({ files, kvFactory }, path).catch((cause: unknown) => {
      if (codeOf(cause) !== 'DATA_DIRECTORY_LOCKED') throw cause;
      const message = `Cannot use ${path} as --dataDir: another daemon uses it`;
      throw new QuorateError('DATA_DIRECTORY_LOCKED', message, { cause });
    });
    return new DataDirectory(init, lock);
  }

  get path(): string {
    return this.#init.path;
  }

  /** null: the directory holds no log, and never did or was wiped. Throws STORAGE_DAMAGED, or Fenced. */
  async openLog(): Promise<SegmentedLog | null> {
    const { files, path } = this.#init;
    await this.#dropUnfinishedLog();
    const reason = await readSmallFile(files, `${path}/${condemnedName}`);
    if (reason !== null && !(await this.#isLogSetAside())) throw untrusted(path, reason);
    const log = await openLog(this.#place());
    await this.#checkFence(log);
    if (log !== null) await this.#removeMarker(rejoiningName);
    else if ((await this.rejoining()) === null) await this.#checkBlank();
    return log;
  }

  /** What the log says as far as it can be read; null when there is none. */
  inspectLog(): Promise<LogInspection | null> {
    return inspectLog(this.#place());
  }

  /** From the next start on the data counts as damaged, whatever it looks like. */
  condemn(reason: string): Promise<void> {
    return this.#write(condemnedName, reason);
  }

  /** From the next start on the data is refused, until it is recovered itself or taken away. */
  fence(fence: Fence): Promise<void> {
    return this.#write(fenceFile, encodeFence(fence));
  }

  /**
   * HTTP addresses that a node gave to itself when its data was wiped or set aside and that it has not
   * been let in since; null when it is no such node.
   */
  async rejoining(): Promise<readonly string[] | null> {
    const { files, path } = this.#init;
    const text = await readSmallFile(files, `${path}/${rejoiningName}`);
    return text === null ? null : text.split('\n').filter((line) => line !== '');
  }

  /**
   * Moves log, state and snapshots to `damaged-<time>`, where an operator can look at them; they must
   * be closed. The node is a blank one as soon as the log is gone. Resolves with the new place.
   */
  async setAside(time: string, httpAddresses: readonly string[]): Promise<string> {
    const { files, path } = this.#init;
    const aside = `${asidePrefix}${time}`;
    await this.#write(rejoiningName, httpAddresses.join('\n'));
    await files.makeDirectory(`${path}/${aside}`);
    await files.syncDirectory(path);
    const names = (await files.list(path)) ?? [];
    const isData = (name: string): boolean =>
      ['log', 'snapshots', condemnedName, fenceFile].includes(name) || stateName.test(name);
    // In this order: a log never stays without its state.
    const moved = names.filter(isData).sort((a, b) => Number(b === 'log') - Number(a === 'log'));
    for (const name of moved) {
      await files.rename(`${path}/${name}`, `${path}/${aside}/${name}`);
      await files.syncDirectory(`${path}/${aside}`);
      await files.syncDirectory(path);
    }
    const older = names.filter((name) => name.startsWith(asidePrefix) && name !== aside);
    for (const name of older) await files.remove(`${path}/${name}`);
    await this.#removeState(); // Where the engine keeps its data elsewhere.
    return `${path}/${aside}`;
  }

  /** The log of a new cluster (with its first configuration) or of a node that is to join one. */
  async createLog(
    identity: LogIdentity,
    configuration: Configuration = emptyConfiguration,
  ): Promise<SegmentedLog> {
    await this.#removeState(); // A crash may have left it behind when the log was gone already.
    const index = asIndex(0);
    const base: LogBase = { index, term: asTerm(0), configuration: { index, configuration } };
    const log = await createLog({
      ...this.#place(),
      identity,
      base,
      generation: firstGeneration,
    });
    await this.#removeMarker(rejoiningName);
    return log;
  }

  /**
   * Forgets log, state and snapshots; they must be closed. The node is a blank one from the moment
   * the log has another name, however much of it a crash leaves behind.
   */
  async wipe(): Promise<void> {
    const { files, path } = this.#init;
    await this.#write(rejoiningName, '');
    await files.remove(`${path}/log.old`);
    await files.rename(`${path}/log`, `${path}/log.old`);
    await files.syncDirectory(path);
    await files.remove(`${path}/log.old`);
    await this.#removeState();
  }

  async #removeState(): Promise<void> {
    const { files, kvFactory, path } = this.#init;
    for (const name of await kvFactory.list(path)) {
      if (stateName.test(name)) await kvFactory.remove(`${path}/${name}`);
    }
    await files.remove(`${path}/snapshots`);
    await files.remove(`${path}/${condemnedName}`);
    await files.remove(`${path}/${fenceFile}`);
    await files.syncDirectory(path);
  }

  /**
   * A recovery that was given up while it copied: the node goes on with its log. A copy that stayed
   * would be taken for the log once that is gone.
   */
  async #dropUnfinishedLog(): Promise<void> {
    const { files, path } = this.#init;
    const names = (await files.list(path)) ?? [];
    if (!names.includes('log') || !names.includes(unfinishedLogName)) return;
    await files.remove(`${path}/${unfinishedLogName}`);
    await files.syncDirectory(path);
  }

  /** A crash may have kept the reason why, which goes after the log; createLog() removes it. */
  async #isLogSetAside(): Promise<boolean> {
    const { files, path } = this.#init;
    return (await files.list(`${path}/log`)) === null && (await this.rejoining()) !== null;
  }

  async #checkFence(log: SegmentedLog | null): Promise<void> {
    const { files, path } = this.#init;
    const fence = await readFence(files, path);
    if (fence === null) return;
    if (log !== null && isFencedBy(fence, log.recovered.identity.clusterId)) {
      await log.close();
      throw new Fenced(path, fence);
    }
    await this.#removeMarker(fenceFile);
  }

  /** A state without its log: somebody or something took the log away. */
  async #checkBlank(): Promise<void> {
    const { kvFactory, path } = this.#init;
    const states = (await kvFactory.list(path)).filter((name) => stateName.test(name));
    if (states.length > 0) throw untrusted(path, `${states.join(', ')} is here, its log is gone`);
  }

  async #removeMarker(name: string): Promise<void> {
    const { files, path } = this.#init;
    if ((await files.sizeOf(`${path}/${name}`)) === null) return;
    await files.remove(`${path}/${name}`);
    await files.syncDirectory(path);
  }

  #write(name: string, text: string): Promise<void> {
    const { files, path } = this.#init;
    return writeSmallFile(files, path, { name, text });
  }

  /** The gossip epoch of this start: above every earlier one. */
  async nextEpoch(wallMs: number): Promise<number> {
    const epoch = Math.max((await this.#readEpoch()) + 1, Math.floor(wallMs));
    await this.saveEpoch(epoch);
    return epoch;
  }

  /** In the order of the calls: the file for the next one is the same. */
  saveEpoch(epoch: number): Promise<void> {
    this.#saving = this.#saving.then(() => this.#write('epoch', String(epoch)));
    return this.#saving;
  }

  async close(): Promise<void> {
    await this.#lock.close();
  }

  async #readEpoch(): Promise<number> {
    const { files, path } = this.#init;
    const epoch = Number((await readSmallFile(files, `${path}/epoch`)) ?? 0);
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

const untrusted = (path: string, found: string): QuorateError =>
  new QuorateError('STORAGE_DAMAGED', `Cannot trust ${path} as data of this node: ${found}`);

function cannotUse(path: string, cause: unknown): QuorateError {
  const found = cause instanceof Error ? cause.message : String(cause);
  return new QuorateError('STORAGE_FAILED', `Cannot use ${path} as --dataDir: ${found}`, { cause });
}
