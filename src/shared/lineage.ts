import { asClusterId } from './ids.ts';
import type { ClusterId } from './ids.ts';

/** `origin` of a cluster that was never recovered, `origin.lineage.mark` of one that was. */
const pattern = /^[^.]+\.(\d{1,15})(?:\.[0-9a-f]{1,16})?$/;

/**
 * A cluster that was recovered after it lost its majority goes on under its old id with the number of
 * its lineage and a random mark behind it: nodes that stayed behind are of another cluster, and can be
 * told so. Two recoveries that knew nothing of each other may have one number; by their marks they are
 * two clusters, and neither is the later one. 0 of what is no such id.
 */
export const lineageOf = (clusterId: ClusterId): number =>
  Number(pattern.exec(clusterId)?.[1] ?? 0);

/** The same cluster before and after recoveries. */
export const isSameOrigin = (one: ClusterId, other: ClusterId): boolean =>
  originOf(one) === originOf(other);

/** Whether `one` is the same cluster as `other` after a later recovery: `other` is to be given up. */
export const isLaterLineage = (one: ClusterId, other: ClusterId): boolean =>
  isSameOrigin(one, other) && lineageOf(one) > lineageOf(other);

/** `lineage`: above every earlier one. `mark`: up to 16 hex digits that nobody else draws. */
export const withLineage = (clusterId: ClusterId, lineage: number, mark: string): ClusterId =>
  asClusterId(`${originOf(clusterId)}.${lineage}.${mark}`);

const originOf = (clusterId: ClusterId): string => clusterId.split('.')[0] ?? '';
