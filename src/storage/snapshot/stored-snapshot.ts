import type { LogBase } from '../../raft/index.ts';
import type { ClusterId } from '../../shared/index.ts';
import { assert } from '../../shared/index.ts';
import type { Files, OpenFile } from '../files/files.ts';
import { damaged, decodeFrame } from './frame.ts';
import type { SnapshotHeader } from './header.ts';
import { decodeHeader } from './header.ts';
import { readTrailer } from './trailer.ts';

/** What sender and receiver must agree on before chunks flow. */
export interface SnapshotIdentity {
  readonly clusterId: ClusterId;
  readonly base: LogBase;
  /** SHA-256 over all chunks, 64 hexadecimal digits: names the content wherever it came from. */
  readonly hash: string;
  /** Chunks are numbered from 0; chunk 0 is the header. */
  readonly chunkCount: number;
}

export interface SnapshotMeta extends SnapshotIdentity {
  /** Of the state in the rows; null: nothing says it. */
  readonly digest: number | null;
  /** Bytes of all chunks. */
  readonly bytes: number;
  readonly rowCount: number;
}

/** A finished snapshot file, opened for reading. Readers share nothing: open one each. */
export interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  /** The bytes of a chunk as they travel, verified. Throws STORAGE_DAMAGED. */
  readChunk(number: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Only the header of a finished snapshot. Throws as `openSnapshot` does. */
export async function readSnapshotHeader(files: Files, path: string): Promise<SnapshotHeader> {
  const snapshot = await openSnapshot(files, path);
  const { clusterId, base, digest } = snapshot.meta;
  await snapshot.close();
  return { clusterId, base, digest };
}

/**
 * Opens a finished snapshot. Throws STORAGE_DAMAGED, or CONFIG_INVALID when a later version of the
 * program wrote it. The whole hash is not verified here: every chunk has a checksum of its own.
 */
export async function openSnapshot(files: Files, path: string): Promise<StoredSnapshot> {
  const size = await files.sizeOf(path);
  const file = await files.open(path, 'read');
  try {
    return await readOpened(file, size ?? 0);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readOpened(file: OpenFile, size: number): Promise<StoredSnapshot> {
  const { hash, rowCount, frameLengths } = await readTrailer(file, size);
  const offsets = offsetsOf(frameLengths);
  const readFrame = async (number: number): Promise<Uint8Array> => {
    const length = frameLengths[number];
    const offset = offsets[number];
    assert(length !== undefined && offset !== undefined, `Snapshot has no chunk ${number}`);
    const bytes = await file.read(offset, length);
    if (bytes.length !== length) throw damaged(`chunk ${number}`, 'the file ends in it');
    decodeFrame(bytes, number === 0 ? 'header' : 'rows', number);
    return bytes;
  };
  if (frameLengths.length === 0) throw damaged('the header', 'there is none');
  const { clusterId, base, digest } = decodeHeader(await readFrame(0));
  const bytes = frameLengths.reduce((sum, length) => sum + length, 0);
  const chunkCount = frameLengths.length;
  const meta = { clusterId, base, digest, hash, chunkCount, bytes, rowCount };
  return { meta, readChunk: readFrame, close: () => file.close() };
}

function offsetsOf(lengths: readonly number[]): readonly number[] {
  let end = 0;
  return lengths.map((length) => (end += length) - length);
}
