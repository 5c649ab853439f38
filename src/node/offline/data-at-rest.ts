import type { Random } from '../../shared/index.ts';
import { codeOf, QuorateError } from '../../shared/index.ts';
import type { Files, Kv, KvFactory, LogSettings } from '../../storage/index.ts';
import { takeDataLock } from '../data-lock.ts';

/** What the offline tools work with: the disk, and somebody who reads along. */
export interface OfflineInit {
  readonly files: Files;
  /** For the lock, and for what is changed. */
  readonly kvFactory: KvFactory;
  /** Looks at databases without changing them. */
  readonly readOnlyKvFactory: KvFactory;
  /** Of logs that are written. */
  readonly logSettings: LogSettings;
  /** Tells recoveries on several machines apart. */
  readonly random: Pick<Random, 'hex'>;
  readonly writeOut: (text: string) => void;
  /** Progress, for people. */
  readonly writeError: (text: string) => void;
}

/** A data directory, and whether a tool only looks at it or is about to change what is in it. */
export interface DataUse {
  readonly path: string;
  readonly purpose: 'look' | 'change';
}

/**
 * Runs `work` on the data directory of a node that does not run. Throws CONFIG_INVALID when there is
 * no log, DATA_DIRECTORY_LOCKED while a daemon uses it.
 */
export async function withDataAtRest<T>(
  init: OfflineInit,
  use: DataUse,
  work: () => Promise<T>,
): Promise<T> {
  const { path } = use;
  if ((await init.files.list(`${path}/log`)) === null) {
    throw new QuorateError('CONFIG_INVALID', `Cannot use ${path} as --dataDir: it holds no log`);
  }
  return whileLocked(init, use, work);
}

/**
 * Runs `work` while no daemon can use the directory. Where there is no lock none is taken by who
 * just looks, nor where none can be made. Throws DATA_DIRECTORY_LOCKED while a daemon uses it.
 */
export async function whileLocked<T>(
  init: OfflineInit,
  use: DataUse,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await takeLock(init, use);
  try {
    return await work();
  } finally {
    await lock?.close();
  }
}

/** Nobody uses a copy that came without its lock, but a daemon may be started on it at any moment. */
async function takeLock(init: OfflineInit, { path, purpose }: DataUse): Promise<Kv | null> {
  const hasLock = (await init.kvFactory.list(path)).includes('lock');
  if (!hasLock && purpose === 'look') return null;
  try {
    return await takeDataLock(init, path);
  } catch (cause) {
    if (!hasLock && (await refusesChanges(init, path))) return null;
    if (codeOf(cause) !== 'DATA_DIRECTORY_LOCKED') throw cause;
    const message = `Cannot use ${path} as --dataDir: a daemon uses it, stop it first`;
    throw new QuorateError('DATA_DIRECTORY_LOCKED', message, { cause });
  }
}

const readOnlyCodes = new Set(['EROFS', 'EACCES', 'EPERM']);

/** A copy on a read-only disk, say, to be compared with others: it cannot be recovered by mistake. */
function refusesChanges({ files }: OfflineInit, path: string): Promise<boolean> {
  return files.makeDirectory(`${path}/lock`).then(
    () => false,
    (error: unknown) =>
      error instanceof Error && 'code' in error && readOnlyCodes.has(String(error.code)),
  );
}

const tellEveryMs = 1_000;

/** Says how far long work is, once a second; nothing about short work. */
export function progressTo(
  { writeError }: OfflineInit,
  what: string,
): (done: number, total: number) => void {
  let toldAtMs = performance.now();
  return (done, total) => {
    const nowMs = performance.now();
    if (nowMs - toldAtMs < tellEveryMs) return;
    toldAtMs = nowMs;
    const share = total > 0 ? ` (${Math.floor((100 * done) / total)} %)` : '';
    writeError(`${what}: ${done}${share}\n`);
  };
}
