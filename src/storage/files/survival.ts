import type { Random } from '../../shared/index.ts';

/** All, none, a beginning, or any of `count` things survive. */
export function survival(random: Random, count: number): () => boolean {
  const kind = random.intBelow(4);
  let left = kind === 0 ? count : kind === 1 ? 0 : random.intBelow(count + 1);
  return () => (kind === 3 ? random.intBelow(2) === 0 : left-- > 0);
}
