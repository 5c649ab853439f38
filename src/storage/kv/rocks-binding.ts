import rocksdb from 'rocksdb';

export type Done<T = void> = (error?: Error | null, value?: T) => void;

/** Writes that go to the database together; keys and values are copied at once. */
export interface BindingBatch {
  put(row: Buffer, value: Buffer): void;
  del(row: Buffer): void;
  write(options: { readonly sync: boolean }, done: Done): void;
}

export interface BindingIterator {
  /** Calls without row and value at the end. */
  next(done: (error?: Error | null, row?: Buffer, value?: Buffer) => void): void;
  end(done: Done): void;
}

interface OpenOptions {
  readonly cacheSize: number;
  readonly writeBufferSize: number;
  readonly readOnly?: boolean;
}

/** The part of the RocksDB binding that is used here. Keys and values must be Buffers. */
export interface BindingDatabase {
  open(options: OpenOptions, done: Done): void;
  close(done: Done): void;
  /** Half the cost of handing it a list. */
  batch(): BindingBatch;
  getMany(rows: Buffer[], done: Done<(Buffer | undefined)[]>): void;
  iterator(options: {
    readonly gte?: Buffer;
    readonly lt?: Buffer;
    readonly highWaterMark: number;
  }): BindingIterator;
}

/** The published types describe an ES module, but the package exports the constructor itself. */
export const bindingAt = rocksdb as unknown as (directory: string) => BindingDatabase;

/** Turns one call of the binding into a promise. */
export function call<T = void>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error) reject(error);
      else resolve(value as T);
    });
  });
}
