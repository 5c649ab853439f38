import type { Random } from '../../shared/index.ts';
import { assert, QuorateError } from '../../shared/index.ts';
import type { RowRange } from '../../store/index.ts';
import type { Kv, KvCursor, KvFactory, KvRow, KvWrite } from './kv.ts';
import { MemoryDatabase } from './memory-database.ts';

/** What is about to happen: given to the hooks of a memory disk. */
export interface KvOperation {
  readonly kind: 'open' | 'list' | 'remove' | 'write' | 'sync' | 'read' | 'close';
  readonly directory: string;
}

/** fails: nothing happens; failsLate: the batch is written all the same. */
export type KvFault = 'fails' | 'failsLate';

export interface MemoryKvHooks {
  /** Asked once per operation, when it begins. */
  readonly fault?: (operation: KvOperation) => KvFault | null;
  /** Calls `finish` when the operation shall complete; without this hook, in a microtask. */
  readonly complete?: (operation: KvOperation, finish: () => void) => void;
}

/**
 * Databases in memory that lose what a power cut may lose. A process works through a mount; after
 * `kill` or `crash` its calls never complete, and the next process takes a mount of its own.
 * Deterministic, as long as hooks and random source are.
 */
export class MemoryKvDisk {
  readonly #databases = new Map<string, MemoryDatabase>();
  readonly #hooks: MemoryKvHooks;
  #mount: MemoryKvMount | null = null;

  constructor(hooks: MemoryKvHooks = {}) {
    this.#hooks = hooks;
  }

  /** The databases for the next process. The one before must be dead. */
  mount(): KvFactory {
    assert(this.#mount === null, 'Kill the process that uses the memory disk before');
    this.#mount = new MemoryKvMount(this.#databases, this.#hooks);
    return this.#mount;
  }

  /** The process dies: settled batches live on, one under way may have made it or not. */
  kill(random: Random): void {
    if (this.#mount) this.#mount.alive = false;
    this.#mount = null;
    for (const database of this.#databases.values()) database.abandon(random);
  }

  /** Power is lost: some beginning of the unsynced batches is there, the rest is not. */
  crash(random: Random): void {
    this.kill(random);
    for (const database of this.#databases.values()) database.crash(random);
  }

  /** Changes a stored value behind the back of everybody, as a bad sector does. */
  damage(directory: string, row: Uint8Array, change: (value: Uint8Array) => Uint8Array): void {
    const found = this.#databases.get(directory)?.damage(row, change) ?? false;
    assert(found, `Cannot damage a row of ${directory}: no such row`);
  }

  /** Flips a bit of some stored value. Returns the directory of its database; null: there is none. */
  flipBit(random: Random): string | null {
    const filled = [...this.#databases].filter(([, database]) => database.rowCount > 0);
    const chosen = filled[random.intBelow(Math.max(1, filled.length))];
    if (chosen === undefined) return null;
    const [directory, database] = chosen;
    const row = database.rowAt(random.intBelow(database.rowCount));
    this.damage(directory, row, (value) => {
      const at = random.intBelow(value.length);
      value[at] = (value[at] ?? 0) ^ (1 << random.intBelow(8));
      return value;
    });
    return directory;
  }

  /**
   * Takes a late batch of some database back that is not its newest, as a bad block of a write-ahead
   * log does. Nobody may use the disk. Returns the directory of the database; null: there is none.
   */
  loseBatch(random: Random): string | null {
    assert(this.#mount === null, 'Kill the process that uses the memory disk before');
    const directories = [...this.#databases.keys()];
    while (directories.length > 0) {
      const [directory = ''] = directories.splice(random.intBelow(directories.length), 1);
      if (this.#databases.get(directory)?.loseBatch(random) === true) return directory;
    }
    return null;
  }
}

class MemoryKvMount implements KvFactory {
  alive = true;
  readonly #databases: Map<string, MemoryDatabase>;
  readonly #hooks: MemoryKvHooks;

  constructor(databases: Map<string, MemoryDatabase>, hooks: MemoryKvHooks) {
    this.#databases = databases;
    this.#hooks = hooks;
  }

  /** `effect` happens on completion, just before the caller hears of it. */
  run<T>(operation: KvOperation, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      const fault = this.#hooks.fault?.(operation) ?? null;
      const finish = (): void => {
        if (!this.alive) return;
        try {
          const result = fault === 'fails' ? undefined : effect();
          if (fault !== null) throw failure(operation, 'the disk failed');
          resolve(result as T);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      if (this.#hooks.complete) this.#hooks.complete(operation, finish);
      else queueMicrotask(finish);
    });
  }

  open(directory: string): Promise<Kv> {
    return this.run({ kind: 'open', directory }, () => {
      const database = this.#databases.get(directory) ?? new MemoryDatabase();
      if (database.isOpen) {
        const message = `Cannot open ${directory} as its only user: another daemon uses it`;
        throw new QuorateError('DATA_DIRECTORY_LOCKED', message);
      }
      this.#databases.set(directory, database);
      database.isOpen = true;
      return new MemoryKv(this, database, directory);
    });
  }

  list(parent: string): Promise<readonly string[]> {
    return this.run({ kind: 'list', directory: parent }, () => {
      const inside = [...this.#databases.keys()].filter((path) => path.startsWith(`${parent}/`));
      return [...new Set(inside.map((path) => firstName(path, parent)))].sort();
    });
  }

  remove(directory: string): Promise<void> {
    return this.run({ kind: 'remove', directory }, () => {
      assert(
        !this.#databases.get(directory)?.isOpen,
        `Cannot remove ${directory} while it is open`,
      );
      this.#databases.delete(directory);
    });
  }
}

class MemoryKv implements Kv {
  readonly #mount: MemoryKvMount;
  readonly #database: MemoryDatabase;
  readonly #directory: string;
  #closed = false;

  constructor(mount: MemoryKvMount, database: MemoryDatabase, directory: string) {
    this.#mount = mount;
    this.#database = database;
    this.#directory = directory;
  }

  async batch(writes: Iterable<KvWrite>, options: { readonly sync: boolean }): Promise<void> {
    const database = this.#database;
    assert(database.underWay === null, 'One batch at a time');
    const copy = Array.from(writes, copyOf);
    assert(copy.length > 0, 'A batch is not empty');
    database.underWay = copy;
    try {
      await this.#run(options.sync ? 'sync' : 'write', () => {
        database.append(copy);
        if (options.sync) database.sync();
      });
    } finally {
      database.underWay = null;
    }
  }

  get(row: Uint8Array): Promise<Uint8Array | null> {
    return this.#read(() => this.#database.get(row));
  }

  getMany(rows: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#read(() => rows.map((row) => this.#database.get(row)));
  }

  iterate(range: RowRange = {}): KvCursor {
    const rows = this.#database.rows(range);
    return {
      next: () => this.#run('read', () => take(rows)),
      close: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    return this.#run('close', () => {
      this.#closed = true;
      this.#database.isOpen = false;
    });
  }

  /** Sees the rows as they are at the call, however late the answer comes. */
  #read<T>(look: () => T): Promise<T> {
    const found = look();
    return this.#run('read', () => found);
  }

  #run<T>(kind: KvOperation['kind'], effect: () => T): Promise<T> {
    const operation = { kind, directory: this.#directory };
    return this.#mount.run(operation, () => {
      if (this.#closed) throw failure(operation, 'it is closed');
      return effect();
    });
  }
}

const ROWS_MAX = 100;

function take(rows: Iterator<KvRow>): readonly KvRow[] {
  const taken: KvRow[] = [];
  while (taken.length < ROWS_MAX) {
    const next = rows.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

const copyOf = ({ row, value }: KvWrite): KvWrite => ({
  row: Uint8Array.from(row),
  value: value && Uint8Array.from(value),
});

const firstName = (path: string, parent: string): string =>
  path.slice(parent.length + 1).split('/', 1)[0] ?? '';

const failure = (operation: KvOperation, found: string): QuorateError =>
  new QuorateError(
    'STORAGE_FAILED',
    `Cannot ${operation.kind} ${operation.directory} as a database: ${found}`,
  );
