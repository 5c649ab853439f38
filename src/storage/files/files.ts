/**
 * read: must exist, read only. durable: must exist, every write is on the disk when it resolves
 * (O_DSYNC). plain: created when missing, writes rest in a cache until `sync`.
 */
export type OpenMode = 'read' | 'durable' | 'plain';

/** A file opened for positional reads and writes. */
export interface OpenFile {
  /**
   * `length` bytes, fewer only where the file ends: in a buffer of its own, or at the start of
   * `into`, if that is given and large enough.
   */
  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /**
   * Resolves with how many bytes were written: at least 1, maybe fewer than given, so callers go
   * on with the rest. `bytes` must not change before it resolves.
   */
  write(position: number, bytes: Uint8Array): Promise<number>;
  /** Everything written before is on the disk when it resolves. Never retried after a failure. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The file system as the storage parts see it: small enough to be replaced by one that loses, tears
 * and fails. Every call rejects with the system's error (`code` EIO, ENOSPC, ENOENT...).
 */
export interface Files {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /**
   * Atomic, replaces `to` when it is a file; within one file system. Durable after `syncDirectory` of
   * both directories.
   */
  rename(from: string, to: string): Promise<void>;
  /** A file, or a directory with all in it; nothing when missing. Durable after `syncDirectory`. */
  remove(path: string): Promise<void>;
  /** Names in a directory, sorted; null when there is no such directory. */
  list(directory: string): Promise<readonly string[] | null>;
  /** One level; nothing when it exists. Durable after `syncDirectory` of its parent. */
  makeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Bytes; null when missing. */
  sizeOf(path: string): Promise<number | null>;
  /** Bytes that this process may still write to the file system of `path`. */
  freeBytes(path: string): Promise<number>;
  /** Cuts or extends with zeros. Durable after `sync` of the file. */
  truncate(path: string, size: number): Promise<void>;
}

/** Writes all of `bytes`, however short the single writes are. */
export async function writeFully(
  file: OpenFile,
  position: number,
  bytes: Uint8Array,
): Promise<void> {
  let done = await file.write(position, bytes);
  while (done < bytes.length) done += await file.write(position + done, bytes.subarray(done));
}
