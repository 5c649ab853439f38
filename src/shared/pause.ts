import type { Clock } from './ports.ts';

/** Resolves after so many milliseconds of this clock. */
export const pause = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
