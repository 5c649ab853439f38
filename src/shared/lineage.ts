import { asClusterId } from './ids.ts';
import type { ClusterId } from './ids.ts';

/**
 * A cluster that was recovered after it lost its majority goes on under its old id with the number of
 * its lineage behind it: nodes that stayed behind are of another cluster, and can be told so.
 */
export const lineageOf = (clusterId: ClusterId): number => Number(clusterId.split('.')[1] ?? 0);

/** The same cluster before and after recoveries. */
export const isSameOrigin = (one: ClusterId, other: ClusterId): boolean =>
  originOf(one) === originOf(other);

/** `lineage`: above every earlier one. */
export const withLineage = (clusterId: ClusterId, lineage: number): ClusterId =>
  asClusterId(`${originOf(clusterId)}.${lineage}`);

const originOf = (clusterId: ClusterId): string => clusterId.split('.')[0] ?? '';
