import type { Entry, HardState } from '../../raft/index.ts';
import { QuorateError } from '../../shared/index.ts';
import { ENTRY_OVERHEAD_BYTES, entriesBodyBytesMax } from './bodies.ts';
import { recordBytes } from './record.ts';
import type { LogSettings } from './settings.ts';

/**
 * The entries of a batch, record by record; one record, maybe without entries, when all fits.
 * Throws TOO_LARGE, before anything is written, when a single entry does not fit in a record.
 */
export function splitBatch(
  entries: readonly Entry[],
  hardState: HardState,
  { recordBytesMax }: LogSettings,
): readonly (readonly Entry[])[] {
  const fixedBytes = recordBytes(entriesBodyBytesMax(hardState)) + 8;
  const records: (readonly Entry[])[] = [];
  let start = 0;
  let bytes = fixedBytes;
  for (const [i, { index, payload }] of entries.entries()) {
    const entryBytes = ENTRY_OVERHEAD_BYTES + payload.length;
    if (fixedBytes + entryBytes > recordBytesMax) {
      const found = `entry ${index} has ${payload.length} bytes`;
      throw new QuorateError('TOO_LARGE', `Cannot write to the log within its records: ${found}`);
    }
    if (bytes + entryBytes > recordBytesMax) {
      records.push(entries.slice(start, i));
      start = i;
      bytes = fixedBytes;
    }
    bytes += entryBytes;
  }
  records.push(start === 0 ? entries : entries.slice(start));
  return records;
}
