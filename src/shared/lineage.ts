import { asClusterId } from './ids.ts';
import type { ClusterId } from './ids.ts';

/** `origin` of a cluster that was never recovered, `origin.lineage` of one that was. */
const pattern = /^([^.]+)(?:\.(\d{1,15}))?$/;

/**
 * A cluster that was recovered after it lost its majority goes on under its old id with the number of
 * its lineage behind it: nodes that stayed behind are of another cluster, and can be told so. Of what
 * is no such id: 0.
 */
export const lineageOf = (clusterId: ClusterId): number =>
  Number(pattern.exec(clusterId)?.[2] ?? 0);

/** The same cluster before and after recoveries. */
export const isSameOrigin = (one: ClusterId, other: ClusterId): boolean =>
  originOf(one) === originOf(other);

/** Whether `one` is the same cluster as `other` after a later recovery: `other` is to be given up. */
export const isLaterLineage = (one: ClusterId, other: ClusterId): boolean =>
  isSameOrigin(one, other) && lineageOf(one) > lineageOf(other);

/** `lineage`: above every earlier one. */
export const withLineage = (clusterId: ClusterId, lineage: number): ClusterId =>
  asClusterId(`${originOf(clusterId)}.${lineage}`);

const originOf = (clusterId: ClusterId): string => clusterId.split('.')[0] ?? '';
