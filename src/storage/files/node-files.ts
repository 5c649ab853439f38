import { constants, write } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import type { Files, OpenFile, OpenMode } from './files.ts';

const flagsOf: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  durable: constants.O_RDWR | constants.O_DSYNC,
  plain: constants.O_RDWR | constants.O_CREAT,
};

/** The real file system. */
export function nodeFiles(): Files {
  return {
    open: async (path, mode) => new NodeFile(await open(path, flagsOf[mode], 0o600)),
    rename,
    remove: (path) => rm(path, { recursive: true, force: true }),
    list: (directory) => orNull(readdir(directory).then((names) => names.sort())),
    makeDirectory: async (path) => {
      await mkdir(path, { mode: 0o700 }).catch(unlessCode('EEXIST'));
    },
    syncDirectory,
    sizeOf: (path) => orNull(stat(path).then((found) => found.size)),
    freeBytes: (path) => statfs(path).then(({ bavail, bsize }) => bavail * bsize),
    truncate,
  };
}

class NodeFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const fits = into !== undefined && into.length >= length;
    const buffer = fits ? into : Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(
        buffer,
        filled,
        length - filled,
        position + filled,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    // Not a Buffer, whose `slice` would share the bytes instead of copying them.
    return new Uint8Array(buffer.buffer, buffer.byteOffset, filled);
  }

  /** By callback: the promises of node:fs cost half as much again, and the log waits for this. */
  write(position: number, bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#handle.fd, bytes, 0, bytes.length, position, (error, bytesWritten) => {
        if (error !== null) reject(error);
        else if (bytesWritten === 0 && bytes.length > 0) reject(noneTaken(bytes.length));
        else resolve(bytesWritten);
      });
    });
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

const noneTaken = (byteCount: number): Error =>
  Object.assign(new Error(`Cannot write ${byteCount} bytes: none was taken`), { code: 'EIO' });

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function orNull<T>(found: Promise<T>): Promise<T | null> {
  return found.catch((error: unknown) => {
    unlessCode('ENOENT')(error);
    return null;
  });
}

function unlessCode(code: string): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === code)) throw error;
  };
}
