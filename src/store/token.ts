import type { Revision } from '../shared/index.ts';

/** Fencing token of an event: comparing tokens as strings orders them. */
export const tokenOf = (epoch: number, id: Revision): string =>
  `${String(epoch).padStart(10, '0')}.${String(id).padStart(16, '0')}`;
