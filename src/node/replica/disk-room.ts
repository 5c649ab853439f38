import type { LogUsage } from '../../storage/index.ts';
import { RESERVE_BYTES, ROOMY_FACTOR } from '../../storage/index.ts';

/**
 * low: what can be spared should go. none: even the log's next segment would not fit, and without it
 * the process ends.
 */
export type DiskRoom = 'enough' | 'low' | 'none';

export interface DiskFound {
  readonly freeBytes: number;
  readonly usage: LogUsage;
  readonly segmentBytes: number;
  /** What was found the last time. */
  readonly before: DiskRoom;
}

/** Without a spare segment room for one is needed beside the reserve. */
export function roomOf({ freeBytes, usage, segmentBytes, before }: DiskFound): DiskRoom {
  const isSpared = usage.spareSegments > 0;
  const neededBytes = isSpared ? RESERVE_BYTES : RESERVE_BYTES + segmentBytes;
  if (freeBytes >= neededBytes * (before === 'enough' ? 1 : ROOMY_FACTOR)) return 'enough';
  return !isSpared && freeBytes < segmentBytes ? 'none' : 'low';
}
