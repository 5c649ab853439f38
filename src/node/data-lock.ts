import { codeOf } from '../shared/index.ts';
import type { Files, Kv, KvFactory } from '../storage/index.ts';

/** What the kernel's lock is on: whoever holds the directory holds this very file. */
const lockedName = 'LOCK';

/**
 * Takes the lock of a data directory: an empty database in `lock`, held while it is open. The database
 * holds nothing, so a damaged one is emptied and made anew; its lock file stays, which keeps out
 * whoever comes second all the same. Throws DATA_DIRECTORY_LOCKED, or what is wrong with the disk.
 */
export async function takeDataLock(
  { files, kvFactory }: { readonly files: Files; readonly kvFactory: KvFactory },
  path: string,
): Promise<Kv> {
  const directory = `${path}/lock`;
  try {
    return await kvFactory.open(directory);
  } catch (error) {
    if (codeOf(error) === 'DATA_DIRECTORY_LOCKED') throw error;
    const names = (await files.list(directory).catch(() => null)) ?? [];
    if (names.length === 0) throw error;
    for (const name of names) {
      if (name !== lockedName) await files.remove(`${directory}/${name}`);
    }
    return kvFactory.open(directory);
  }
}
