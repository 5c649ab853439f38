import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

import type { Files, OpenFile } from '../files/files.ts';
import { writeFully } from '../files/files.ts';
import { checkRoomToGoOn } from './room.ts';
import type { SnapshotTrailer } from './trailer.ts';
import { encodeTrailer } from './trailer.ts';

/** Synced this often, so that the last sync does not hold up the log for long. */
const SYNC_BYTES = 8 * 1024 * 1024;

/** Appends frames to an unfinished file, then gives it its trailer and its name. */
export class SnapshotWriter {
  readonly #files: Files;
  readonly #path: string;
  readonly #file: OpenFile;
  readonly #hash: Hash = createHash('sha256');
  readonly #frameLengths: number[] = [];
  #rowCount = 0;
  #bytes = 0;
  #syncedBytes = 0;
  #isOpen = true;

  constructor(files: Files, path: string, file: OpenFile) {
    this.#files = files;
    this.#path = path;
    this.#file = file;
  }

  /** Starts an empty file at `path`. */
  static async create(files: Files, path: string): Promise<SnapshotWriter> {
    await files.remove(path);
    return new SnapshotWriter(files, path, await files.open(path, 'plain'));
  }

  get frameCount(): number {
    return this.#frameLengths.length;
  }

  /** Bytes of all frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What the trailer will say. */
  summary(): SnapshotTrailer {
    const hash = this.#hash.copy().digest('hex');
    return { hash, rowCount: this.#rowCount, frameLengths: [...this.#frameLengths] };
  }

  /** Counts a frame that the file holds already. */
  adopt(frame: Uint8Array, rowCount: number): void {
    this.#hash.update(frame);
    this.#frameLengths.push(frame.length);
    this.#rowCount += rowCount;
    this.#bytes += frame.length;
  }

  /** Throws STORE_FULL when the disk has become nearly full meanwhile. */
  async append(frame: Uint8Array, rowCount: number): Promise<void> {
    await writeFully(this.#file, this.#bytes, frame);
    this.adopt(frame, rowCount);
    if (this.#bytes - this.#syncedBytes < SYNC_BYTES) return;
    await this.#file.sync();
    this.#syncedBytes = this.#bytes;
    await checkRoomToGoOn(this.#files, this.#path);
  }

  /** Durable under its final name when it resolves. */
  async finish(path: string): Promise<void> {
    await writeFully(this.#file, this.#bytes, encodeTrailer(this.summary()));
    await this.#file.sync();
    await this.close();
    await this.#files.rename(this.#path, path);
    await this.#files.syncDirectory(path.slice(0, path.lastIndexOf('/')) || '/');
  }

  /** Leaves the unfinished file as it is; may be called twice. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }

  async discard(): Promise<void> {
    await this.close();
    await this.#files.remove(this.#path);
  }
}
