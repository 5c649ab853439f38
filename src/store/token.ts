import type { Revision } from '../shared/index.ts';

/** Most that fits in a token. */
export const epochMax = 9_999_999_999;

/** Fencing token of an event: comparing tokens as strings orders them. */
export const tokenOf = (epoch: number, id: Revision): string =>
  `${String(epoch).padStart(10, '0')}.${String(id).padStart(16, '0')}`;
