import { createHash } from 'node:crypto';

import type { LogBase } from '../../raft/index.ts';
import { appliedWrite, formatWrite, isEngineRow } from '../engine/engine-rows.ts';
import { seal } from '../engine/sealed-row.ts';
import type { Kv, KvFactory, KvWrite } from '../kv/kv.ts';
import { damaged, decodeFrame } from './frame.ts';
import { decodeRows } from './rows.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';

export interface InstallInit {
  readonly snapshot: StoredSnapshot;
  readonly kvFactory: KvFactory;
  readonly dataDirectory: string;
  /** Above every generation that the log ever named. */
  readonly generation: number;
  /** Ends the install; what was written is deleted. */
  readonly signal?: AbortSignal;
}

export interface InstalledState {
  readonly base: LogBase;
  readonly generation: number;
  readonly directory: string;
}

export const stateDirectory = (dataDirectory: string, generation: number): string =>
  `${dataDirectory}/state-${generation}`;

/**
 * Fills a new engine directory from a snapshot; synced and closed when it resolves. Nothing counts
 * before the log says so (`LogStore.installBase`), so a crash at any step leaves the old state in
 * force. Throws STORAGE_DAMAGED when chunks or the whole hash do not hold; the directory is deleted
 * after any failure.
 */
export async function installSnapshot(init: InstallInit): Promise<InstalledState> {
  const { kvFactory, generation, snapshot } = init;
  const directory = stateDirectory(init.dataDirectory, generation);
  await kvFactory.remove(directory);
  const kv = await kvFactory.open(directory);
  try {
    await fill(kv, init);
  } catch (error) {
    await kv.close();
    await kvFactory.remove(directory);
    throw error;
  }
  await kv.close();
  return { base: snapshot.meta.base, generation, directory };
}

/** The engine's own rows come last: without them a directory counts as not filled to the end. */
async function fill(kv: Kv, { snapshot, signal }: InstallInit): Promise<void> {
  const { meta } = snapshot;
  const hash = createHash('sha256').update(await snapshot.readChunk(0));
  let rowCount = 0;
  for (let number = 1; number < meta.chunkCount; number++) {
    signal?.throwIfAborted();
    const bytes = await snapshot.readChunk(number);
    hash.update(bytes);
    const writes = writesOf(bytes, number);
    rowCount += writes.length;
    if (writes.length > 0) await kv.batch(writes, { sync: false });
  }
  if (rowCount !== meta.rowCount) {
    throw damaged('all rows', `${rowCount} in place of ${meta.rowCount}`);
  }
  if (hash.digest('hex') !== meta.hash) throw damaged('the whole', 'its hash is wrong');
  const applied = { index: meta.base.index, digest: meta.digest };
  await kv.batch([formatWrite(), appliedWrite(applied)], { sync: true });
}

function writesOf(bytes: Uint8Array, number: number): readonly KvWrite[] {
  return decodeRows(decodeFrame(bytes, 'rows', number)).map(({ row, value }) => {
    if (row.length === 0 || isEngineRow(row)) throw damaged(`chunk ${number}`, 'a foreign row');
    return { row, value: seal(row, value) };
  });
}

/**
 * Deletes every `state-<generation>` directory but the one in force, as the log's last base names it.
 */
export async function removeOtherGenerations(init: {
  readonly kvFactory: KvFactory;
  readonly dataDirectory: string;
  readonly generation: number;
}): Promise<void> {
  const { kvFactory, dataDirectory, generation } = init;
  for (const name of await kvFactory.list(dataDirectory)) {
    const isState = /^state-\d+$/.test(name);
    if (!isState || name === `state-${generation}`) continue;
    await kvFactory.remove(`${dataDirectory}/${name}`);
  }
}
