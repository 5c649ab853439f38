import type { Clock } from '../../shared/index.ts';
import { pause } from '../../shared/index.ts';

/** Keeps a slow partner from making the rests long. */
const restMsMax = 10;

/** To be awaited between two pieces of work. */
export type Rest = () => Promise<void>;

/**
 * The pace of work that nobody waits for, as that on snapshots: it rests as long as its last piece
 * took, so that at most half of the process, and of the disk, goes to it. Slower would not do: the log
 * that is kept meanwhile is bounded, and beyond that the transfer has to begin again.
 */
export function gentlePace(clock: Clock): Rest {
  let startedAtMs = clock.monotonicMs();
  return async () => {
    const workedMs = clock.monotonicMs() - startedAtMs;
    if (workedMs > 0) await pause(clock, Math.min(workedMs, restMsMax));
    startedAtMs = clock.monotonicMs();
  };
}
