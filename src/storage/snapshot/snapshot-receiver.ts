import { assert, codeOf, equalBytes, QuorateError } from '../../shared/index.ts';
import { encodeConfiguration } from '../../wire/index.ts';
import type { Files, OpenFile } from '../files/files.ts';
import { decodeFrame, FRAME_HEAD_BYTES, frameLength } from './frame.ts';
import type { SnapshotHeader } from './header.ts';
import { decodeHeader } from './header.ts';
import { asLackOfRoom, checkRoomToBegin, isLackOfRoom } from './room.ts';
import {
  ensureDirectory,
  pruneSnapshots,
  removeUnfinished,
  snapshotPath,
} from './snapshot-directory.ts';
import { snapshotChunkBytes } from './spool.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import type { SnapshotIdentity } from './stored-snapshot.ts';
import { openSnapshot } from './stored-snapshot.ts';
import { verifySnapshot } from './verify-snapshot.ts';

export interface ReceiverInit {
  readonly files: Files;
  /** Where snapshots live; made when missing. One receiver at a time. */
  readonly directory: string;
  /** As the sender states it; nothing in it is trusted. */
  readonly meta: SnapshotIdentity;
}

/** Takes a snapshot in, chunk by chunk, from any senders that have the same one. */
export interface SnapshotReceiver {
  readonly meta: SnapshotIdentity;
  /** The chunk to send next: 0 at first, more when an earlier transfer got so far, even to its end. */
  readonly nextChunk: number;
  readonly isComplete: boolean;
  /**
   * Writes the next chunk; an earlier one is ignored. One at a time. Throws PARAM_INVALID when the
   * chunk is damaged, too far ahead or not of this snapshot: the receiver stays as it was. Throws STORE_FULL when the
   * disk has no room: what was received is deleted then.
   */
  accept(number: number, bytes: Uint8Array): Promise<void>;
  /**
   * Verifies the whole hash and resolves with the path of the finished, durable file. Throws
   * PARAM_INVALID when the hash differs; what was received is deleted then. Throws STORE_FULL when
   * the disk has no room to install it; what was received stays then.
   */
  finish(): Promise<string>;
  /** Stops; what was received stays for a later receiver of the same hash. May be called twice. */
  close(): Promise<void>;
  /** Stops and deletes what was received. */
  discard(): Promise<void>;
}

/**
 * Goes on where an earlier receiver of the same hash stopped, and has all when that one had finished;
 * other unfinished files are deleted. Reads and verifies what is there. Throws STORE_FULL when the
 * disk has no room for the rest and for the state that is made of it.
 */
export async function openSnapshotReceiver(init: ReceiverInit): Promise<SnapshotReceiver> {
  const { files, directory, meta } = init;
  checkMeta(meta);
  const path = `${directory}/incoming-${meta.hash}.part`;
  await ensureDirectory(files, directory);
  await removeUnfinished(files, directory, { ending: '.part', keep: path });
  if (await isFinished(init)) return new FinishedReceiver(init);
  const size = await files.sizeOf(path);
  const bytes = bytesWanted(meta, size ?? 0);
  await checkRoomToBegin(files, { action: 'take in a snapshot', path: directory, bytes });
  const file = await files.open(path, 'plain');
  const writer = new SnapshotWriter(files, path, file);
  try {
    await adoptFrames({ file, writer, meta, size: size ?? 0 });
    if (size !== null) await files.truncate(path, writer.bytes);
  } catch (error) {
    await writer.close();
    throw error;
  }
  return new FileReceiver(init, writer);
}

/** The rest of the file and the state that is made of it, as far as the offer tells: chunks may be larger. */
function bytesWanted({ chunkCount }: SnapshotIdentity, size: number): number {
  const whole = Math.max(chunkCount * snapshotChunkBytes, size);
  return 2 * whole - size;
}

/**
 * Whether this very snapshot lies ready: a process that ends while it fills the new state leaves it so.
 * A damaged one is deleted.
 */
async function isFinished({ files, directory, meta }: ReceiverInit): Promise<boolean> {
  const path = snapshotPath(directory, meta.base);
  if ((await files.sizeOf(path)) === null) return false;
  try {
    const snapshot = await openSnapshot(files, path);
    await snapshot.close();
    if (!isSameSnapshot(snapshot.meta, meta)) return false;
    await verifySnapshot(files, path);
    return true;
  } catch (error) {
    // A later version wrote it: what comes in takes its place.
    if (codeOf(error) === 'CONFIG_INVALID') return false;
    if (codeOf(error) !== 'STORAGE_DAMAGED') throw error;
    await files.remove(path);
    return false;
  }
}

const isSameSnapshot = (found: SnapshotIdentity, meta: SnapshotIdentity): boolean =>
  found.hash === meta.hash && found.chunkCount === meta.chunkCount && isSameHeader(found, meta);

/** Counts the whole frames of a partial file; what a crash tore or left out ends them. */
async function adoptFrames(partial: {
  readonly file: OpenFile;
  readonly writer: SnapshotWriter;
  readonly meta: SnapshotIdentity;
  readonly size: number;
}): Promise<void> {
  const { file, writer, meta, size } = partial;
  while (writer.frameCount < meta.chunkCount && writer.bytes < size) {
    const length = frameLength(await file.read(writer.bytes, FRAME_HEAD_BYTES));
    if (length === null || writer.bytes + length > size) return;
    const bytes = await file.read(writer.bytes, length);
    const rowCount = rowCountOf(meta, writer.frameCount, bytes);
    if (rowCount === null) return;
    writer.adopt(bytes, rowCount);
  }
}

class FileReceiver implements SnapshotReceiver {
  readonly meta: SnapshotIdentity;
  readonly #init: ReceiverInit;
  readonly #writer: SnapshotWriter;
  #busy = false;

  constructor(init: ReceiverInit, writer: SnapshotWriter) {
    this.meta = init.meta;
    this.#init = init;
    this.#writer = writer;
  }

  get nextChunk(): number {
    return this.#writer.frameCount;
  }

  get isComplete(): boolean {
    return this.nextChunk === this.meta.chunkCount;
  }

  async accept(number: number, bytes: Uint8Array): Promise<void> {
    assert(!this.#busy, 'Chunks are accepted one at a time');
    if (number < this.nextChunk) return;
    if (number > this.nextChunk || this.isComplete) {
      throw refusal(`Cannot take chunk ${number} as the next one: ${this.nextChunk} is`);
    }
    const rowCount = rowCountOf(this.meta, number, bytes);
    if (rowCount === null) {
      throw refusal(`Cannot take chunk ${number} as one of snapshot ${this.meta.hash}: damaged`);
    }
    // Stays busy after a failed write: such a file is not written to again.
    this.#busy = true;
    await this.#orMakeRoom(this.#writer.append(bytes, rowCount));
    this.#busy = false;
  }

  async finish(): Promise<string> {
    assert(this.isComplete, 'Only a complete snapshot can be finished');
    const { files, directory, meta } = this.#init;
    const { hash } = this.#writer.summary();
    if (hash !== meta.hash) {
      await this.discard();
      throw refusal(`Cannot take the snapshot as ${meta.hash}: its hash is ${hash}`);
    }
    const { bytes } = this.#writer;
    await checkRoomToBegin(files, { action: 'install a snapshot', path: directory, bytes });
    const path = snapshotPath(directory, meta.base);
    await this.#orMakeRoom(this.#writer.finish(path));
    await pruneSnapshots(files, directory, path);
    return path;
  }

  /** What waits for room must not take it. */
  async #orMakeRoom(writing: Promise<void>): Promise<void> {
    try {
      await writing;
    } catch (error) {
      const found = asLackOfRoom(error);
      if (isLackOfRoom(found)) await this.discard();
      throw found;
    }
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  discard(): Promise<void> {
    return this.#writer.discard();
  }
}

/** Has been verified: there is nothing left to take. */
class FinishedReceiver implements SnapshotReceiver {
  readonly meta: SnapshotIdentity;
  readonly isComplete = true;
  readonly #init: ReceiverInit;

  constructor(init: ReceiverInit) {
    this.meta = init.meta;
    this.#init = init;
  }

  get nextChunk(): number {
    return this.meta.chunkCount;
  }

  accept(number: number): Promise<void> {
    if (number < this.nextChunk) return Promise.resolve();
    return Promise.reject(refusal(`Cannot take chunk ${number}: all ${this.nextChunk} are there`));
  }

  /** The process before may have ended between the rename and its sync. */
  async finish(): Promise<string> {
    const { files, directory, meta } = this.#init;
    await files.syncDirectory(directory);
    return snapshotPath(directory, meta.base);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    const { files, directory, meta } = this.#init;
    return files.remove(snapshotPath(directory, meta.base));
  }
}

/** Rows in a sound frame with this number, null when it is anything else. */
function rowCountOf(meta: SnapshotIdentity, number: number, bytes: Uint8Array): number | null {
  try {
    if (number > 0) return decodeFrame(bytes, 'rows', number).rowCount;
    return isSameHeader(decodeHeader(bytes), meta) ? 0 : null;
  } catch (error) {
    if (error instanceof QuorateError) return null;
    throw error;
  }
}

type HeaderPart = Pick<SnapshotHeader, 'clusterId' | 'base'>;

function isSameHeader(header: HeaderPart, { clusterId, base }: HeaderPart): boolean {
  const { configuration } = header.base;
  return (
    header.clusterId === clusterId &&
    header.base.index === base.index &&
    header.base.term === base.term &&
    configuration.index === base.configuration.index &&
    equalBytes(
      encodeConfiguration(configuration.configuration),
      encodeConfiguration(base.configuration.configuration),
    )
  );
}

/** The hash becomes part of a file name. */
function checkMeta({ hash, chunkCount }: SnapshotIdentity): void {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw refusal(`Cannot receive a snapshot as '${hash}': a hash has 64 hexadecimal digits`);
  }
  if (!Number.isSafeInteger(chunkCount) || chunkCount < 1) {
    throw refusal(`Cannot receive a snapshot of ${chunkCount} chunks: at least one is needed`);
  }
}

const refusal = (message: string): QuorateError => new QuorateError('PARAM_INVALID', message);
