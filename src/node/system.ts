import { randomBytes, randomInt } from 'node:crypto';
import type { Clock, Random } from '../shared/index.ts';

/** The machine's clocks and timers. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  // The event loop polls sockets between timers and this.
  afterPendingInput: (run) => void setImmediate(run),
};

export const systemRandom: Random = {
  intBelow: (bound) => randomInt(bound),
  hex: (byteCount) => randomBytes(byteCount).toString('hex'),
};
