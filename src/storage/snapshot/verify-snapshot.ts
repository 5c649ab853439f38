import { createHash } from 'node:crypto';

import type { Files } from '../files/files.ts';
import { damaged } from './frame.ts';
import { openSnapshot } from './stored-snapshot.ts';

/** Reads all chunks of a finished snapshot and its whole hash. Throws STORAGE_DAMAGED. */
export async function verifySnapshot(files: Files, path: string): Promise<void> {
  const snapshot = await openSnapshot(files, path);
  try {
    const hash = createHash('sha256');
    const { chunkCount } = snapshot.meta;
    for (let number = 0; number < chunkCount; number++) {
      hash.update(await snapshot.readChunk(number));
    }
    if (hash.digest('hex') !== snapshot.meta.hash) throw damaged('the whole', 'its hash is wrong');
  } finally {
    await snapshot.close();
  }
}
