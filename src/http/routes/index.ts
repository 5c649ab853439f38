import type { Route, RouteParts } from '../route.ts';
import { clusterRoutes } from './cluster.ts';
import { eventRoutes } from './events.ts';
import { healthRoutes } from './health.ts';
import { membershipRoutes } from './membership.ts';
import { probeRoutes } from './probes.ts';
import { statusRoutes } from './status.ts';
import { keysRoute, sessionsRoute, storeRoutes } from './store.ts';
import { detectorDataRoutes, gossipStatusRoutes } from './watch.ts';

/** All routes; `hot` are those that clients call all the time. */
export function routeTable(parts: RouteParts): {
  readonly hot: readonly Route[];
  readonly others: readonly Route[];
} {
  return {
    hot: storeRoutes(parts),
    others: [
      keysRoute(parts),
      sessionsRoute,
      ...statusRoutes(parts),
      ...detectorDataRoutes(parts),
      ...gossipStatusRoutes(parts),
      ...healthRoutes(parts),
      ...eventRoutes(parts),
      ...clusterRoutes(parts),
      ...membershipRoutes(parts),
      ...probeRoutes(parts),
    ],
  };
}
