import type { LogBase } from '../../raft/index.ts';
import type { ClusterId, LogIndex } from '../../shared/index.ts';
import { assert } from '../../shared/index.ts';
import type { SpoolableEngine } from '../engine/state-engine.ts';
import type { StateCursor } from '../engine/engine-rows.ts';
import type { Files } from '../files/files.ts';
import { encodeHeader } from './header.ts';
import { asLackOfRoom, checkRoomToBegin } from './room.ts';
import { ChunkBuilder } from './rows.ts';
import {
  ensureDirectory,
  pruneSnapshots,
  removeUnfinished,
  snapshotPath,
} from './snapshot-directory.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

export interface SpoolInit {
  readonly engine: Pick<SpoolableEngine, 'openCursor'>;
  readonly files: Files;
  /** Where snapshots live; made when missing. One spool at a time. */
  readonly directory: string;
  readonly clusterId: ClusterId;
  /** Term and configuration at the index that the rows turn out to reflect. */
  readonly baseAt: (appliedIndex: LogIndex) => LogBase;
  /** Chunks are cut once they have so many bytes; the same on all nodes, so that hashes agree. */
  readonly chunkBytes?: number;
  /** About how much the rows take. */
  readonly stateBytes?: number;
  /** Awaited after every chunk. */
  readonly rest?: () => Promise<void>;
  /** Ends the spooling; what was written is deleted. */
  readonly signal?: AbortSignal;
}

export interface SpooledSnapshot {
  readonly path: string;
  readonly base: LogBase;
}

/** Requests wait while a chunk is made. */
export const snapshotChunkBytes = 256 * 1024;

/**
 * Writes the state as of one applied index to a file that all receivers share, while applying goes
 * on. Durable when it resolves; older files than the two newest are gone then. Throws
 * STORAGE_DAMAGED when a row is, STORE_FULL when the disk has no room for it; what was written is
 * deleted after any failure.
 */
export async function spoolSnapshot(init: SpoolInit): Promise<SpooledSnapshot> {
  const { files, directory, stateBytes = 0 } = init;
  await ensureDirectory(files, directory);
  await removeUnfinished(files, directory, { ending: '.spool' });
  await checkRoomToBegin(files, { action: 'make a snapshot', path: directory, bytes: stateBytes });
  const cursor = await init.engine.openCursor();
  try {
    const base = init.baseAt(cursor.appliedIndex);
    assert(
      base.index === cursor.appliedIndex,
      'The base must be of the index that the rows reflect',
    );
    const path = snapshotPath(directory, base);
    await writeSnapshot(init, { cursor, base, path });
    await pruneSnapshots(files, directory, path);
    return { path, base };
  } finally {
    await cursor.close();
  }
}

async function writeSnapshot(
  init: SpoolInit,
  source: { readonly cursor: StateCursor; readonly base: LogBase; readonly path: string },
): Promise<void> {
  const { clusterId } = init;
  const { cursor, base, path } = source;
  const { digest } = cursor;
  const writer = await SnapshotWriter.create(init.files, `${path}.spool`);
  try {
    await writer.append(encodeHeader({ clusterId, base, digest }), 0);
    await writeRows(init, cursor, writer);
    await writer.finish(path);
  } catch (error) {
    await writer.discard();
    throw asLackOfRoom(error);
  }
}

async function writeRows(
  { chunkBytes = snapshotChunkBytes, rest, signal }: SpoolInit,
  cursor: StateCursor,
  writer: SnapshotWriter,
): Promise<void> {
  const builder = new ChunkBuilder(chunkBytes);
  for (let rows = await cursor.next(); rows.length > 0; rows = await cursor.next()) {
    for (const row of rows) {
      const chunk = builder.add(row);
      if (chunk === null) continue;
      await writer.append(chunk.bytes, chunk.rowCount);
      await rest?.();
    }
    signal?.throwIfAborted();
  }
  const last = builder.takeRest();
  if (last !== null) await writer.append(last.bytes, last.rowCount);
}
