import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { assert, QuorateError } from '../../shared/index.ts';
import type { RowRange } from '../../store/index.ts';
import type { Kv, KvCursor, KvFactory, KvWrite } from './kv.ts';
import type { BindingBatch, BindingDatabase } from './rocks-binding.ts';
import { bindingAt, call } from './rocks-binding.ts';
import { CURSOR_BYTES_MAX, RocksCursor } from './rocks-cursor.ts';
import { codeFor, orphanIn } from './rocks-damage.ts';

/** Sizes in bytes. */
export interface RocksKvSettings {
  /** Blocks of table files that are kept decompressed in memory. */
  readonly blockCacheBytes: number;
  /** Recent writes that are kept in memory before they go to a table file. */
  readonly writeBufferBytes: number;
}

const DEFAULTS: RocksKvSettings = {
  blockCacheBytes: 32 * 1024 * 1024,
  writeBufferBytes: 16 * 1024 * 1024,
};

/** What a row costs to copy beside its bytes. */
const ROW_BYTES = 64;
/** A batch takes about this much in one turn: a third of a millisecond. */
const TURN_BYTES_MAX = 32 * 1024;

/**
 * Databases for tools that only look: nothing on the disk changes and no lock is taken, so the daemon
 * must be kept out otherwise. Writing rejects, a missing database is none.
 */
export const readOnlyRocksKvFactory = (): KvFactory => ({
  open: async (directory) => {
    const database = bindingAt(directory);
    const { blockCacheBytes: cacheSize, writeBufferBytes: writeBufferSize } = DEFAULTS;
    try {
      await call((done) => database.open({ cacheSize, writeBufferSize, readOnly: true }, done));
    } catch (cause) {
      throw openError(directory, cause);
    }
    return new RocksKv(database, directory);
  },
  list: listDirectories,
  remove: (directory) => {
    const message = `Cannot remove ${directory}: it is only looked at`;
    return Promise.reject(new QuorateError('STORAGE_FAILED', message));
  },
});

/** Databases in RocksDB; its LOCK file keeps a second daemon out. */
export function rocksKvFactory(settings: Partial<RocksKvSettings> = {}): KvFactory {
  const sizes = { ...DEFAULTS, ...settings };
  return {
    open: (directory) => openRocks(directory, sizes),
    list: listDirectories,
    remove: removeDirectory,
  };
}

async function openRocks(directory: string, sizes: RocksKvSettings): Promise<Kv> {
  const database = bindingAt(directory);
  const options = { cacheSize: sizes.blockCacheBytes, writeBufferSize: sizes.writeBufferBytes };
  try {
    await createDurably(directory);
    await refuseOrphans(directory);
    await call((done) => database.open(options, done));
  } catch (cause) {
    throw openError(directory, cause);
  }
  return new RocksKv(database, directory);
}

/** With its CURRENT gone, a database must not be opened for writing: RocksDB would delete the rest. */
async function refuseOrphans(directory: string): Promise<void> {
  const orphan = orphanIn(await readdir(directory));
  if (orphan === null) return;
  const message = `Cannot open ${directory} as a database: its CURRENT is gone, ${orphan} is there`;
  throw new QuorateError('STORAGE_DAMAGED', message);
}

/** RocksDB reports a taken lock only in words: `... lock ...: <directory>/LOCK: ...`. */
function openError(directory: string, cause: unknown): QuorateError {
  if (cause instanceof QuorateError) return cause;
  const text = textOf(cause);
  if (/\block\b.*\/LOCK: /.test(text)) {
    const message = `Cannot open ${directory} as its only user: another daemon uses it`;
    return new QuorateError('DATA_DIRECTORY_LOCKED', message, { cause });
  }
  const message = `Cannot open ${directory} as a database: ${text}`;
  return new QuorateError(codeFor(text), message, { cause });
}

class RocksKv implements Kv {
  readonly #database: BindingDatabase;
  readonly #directory: string;
  readonly #cursors = new Set<RocksCursor>();
  #writing = false;
  #closed = false;

  constructor(database: BindingDatabase, directory: string) {
    this.#database = database;
    this.#directory = directory;
  }

  async batch(writes: Iterable<KvWrite>, options: { readonly sync: boolean }): Promise<void> {
    assert(!this.#writing, 'Batches of one database have no order among themselves: one at a time');
    this.#check('write');
    this.#writing = true;
    try {
      await this.#write(await this.#gather(writes), options);
    } finally {
      this.#writing = false;
    }
  }

  /** The binding copies row by row: a large batch would keep everybody else waiting. */
  async #gather(writes: Iterable<KvWrite>): Promise<BindingBatch> {
    const batch = this.#database.batch();
    let bytes = 0;
    for (const { row, value } of writes) {
      if (bytes >= TURN_BYTES_MAX) {
        await nextTurn();
        bytes = 0;
      }
      if (value === null) batch.del(asBuffer(row));
      else batch.put(asBuffer(row), asBuffer(value));
      bytes += ROW_BYTES + row.length + (value?.length ?? 0);
    }
    assert(bytes > 0, 'The binding skips an empty batch, even a synced one');
    return batch;
  }

  async #write(batch: BindingBatch, options: { readonly sync: boolean }): Promise<void> {
    // It may have been closed while the batch was gathered.
    this.#check('write');
    try {
      await call((done) => batch.write(options, done));
    } catch (cause) {
      throw this.#failed('write', cause);
    }
  }

  async get(row: Uint8Array): Promise<Uint8Array | null> {
    const [value] = await this.getMany([row]);
    return value ?? null;
  }

  async getMany(rows: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]> {
    this.#check('read');
    try {
      const found = await call<(Buffer | undefined)[]>((done) =>
        this.#database.getMany(rows.map(asBuffer), done),
      );
      return found.map((value) => value ?? null);
    } catch (cause) {
      throw this.#failed('read', cause);
    }
  }

  iterate(range: RowRange = {}): KvCursor {
    this.#check('read');
    const iterator = this.#database.iterator({
      ...(range.from && { gte: asBuffer(range.from) }),
      ...(range.to && { lt: asBuffer(range.to) }),
      highWaterMark: CURSOR_BYTES_MAX,
    });
    const cursor = new RocksCursor(iterator, {
      failed: (cause) => this.#failed('read', cause),
      onClosed: () => this.#cursors.delete(cursor),
    });
    this.#cursors.add(cursor);
    return cursor;
  }

  async close(): Promise<void> {
    this.#check('close');
    this.#closed = true;
    // The binding would end them itself, and then never answer those who end them later.
    for (const cursor of this.#cursors) await cursor.close();
    try {
      await call((done) => this.#database.close(done));
    } catch (cause) {
      throw this.#failed('close', cause);
    }
  }

  /** The binding does not survive calls on a closed database. */
  #check(action: string): void {
    if (this.#closed) throw this.#failed(action, 'it is closed');
  }

  #failed(action: string, cause: unknown): QuorateError {
    const text = textOf(cause);
    const message = `Cannot ${action} ${this.#directory} as a database: ${text}`;
    return new QuorateError(codeFor(text), message, { cause });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes as Buffer;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** RocksDB syncs its own directory, but not the entries that lead to it. */
async function createDurably(directory: string): Promise<void> {
  const created = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (created === undefined) return;
  const top = dirname(created);
  for (let parent = dirname(directory); ; parent = dirname(parent)) {
    await syncDirectory(parent);
    if (parent === top || parent === dirname(parent)) return;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function listDirectories(parent: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(parent, { withFileTypes: true });
    const directories = entries.filter((entry) => entry.isDirectory());
    return directories.map((entry) => entry.name).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function removeDirectory(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true });
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await syncDirectory(dirname(directory));
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
