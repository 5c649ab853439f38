import type { Random } from './ports.ts';

/** Seeded generator (mulberry32 on a hashed seed): good enough for jitter and simulations. */
export function seededRandom(seed: number): Random {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ 0x27d4eb2f) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    intBelow: (bound) => Math.floor((next() / 0x1_0000_0000) * bound),
    hex: (byteCount) =>
      Array.from({ length: byteCount }, () => (next() & 0xff).toString(16).padStart(2, '0')).join(
        '',
      ),
  };
}
