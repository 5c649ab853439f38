import type { KvCursor, KvRow } from './kv.ts';
import type { BindingIterator } from './rocks-binding.ts';
import { call } from './rocks-binding.ts';

/**
 * How far a cursor reads at once; also what the binding reads ahead in its own thread. Requests wait
 * meanwhile.
 */
export const CURSOR_BYTES_MAX = 64 * 1024;
const ROWS_MAX = 1000;

interface CursorOwner {
  readonly failed: (cause: unknown) => Error;
  readonly onClosed: () => void;
}

/**
 * Gathers rows of a RocksDB iterator. The binding hands out what it has read ahead without going
 * through the event loop, so a promise per row would cost more than the row.
 */
export class RocksCursor implements KvCursor {
  readonly #iterator: BindingIterator;
  readonly #owner: CursorOwner;
  #closed: Promise<void> | null = null;

  constructor(iterator: BindingIterator, owner: CursorOwner) {
    this.#iterator = iterator;
    this.#owner = owner;
  }

  next(): Promise<readonly KvRow[]> {
    return new Promise((resolve, reject) => {
      const rows: KvRow[] = [];
      let bytes = 0;
      const take = (error?: Error | null, row?: Buffer, value?: Buffer): void => {
        if (error) {
          reject(this.#owner.failed(error));
        } else if (row === undefined || value === undefined) {
          resolve(rows);
        } else {
          rows.push({ row, value });
          bytes += row.length + value.length;
          if (rows.length >= ROWS_MAX || bytes >= CURSOR_BYTES_MAX) resolve(rows);
          else this.#iterator.next(take);
        }
      };
      this.#iterator.next(take);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await call((done) => this.#iterator.end(done));
    } catch (cause) {
      throw this.#owner.failed(cause);
    } finally {
      this.#owner.onClosed();
    }
  }
}
