import type { Metrics } from '../telemetry/index.ts';
import type { ReplicaObserver } from './replica/index.ts';

/** What replicas measure, as metrics. */
export const measureReplica = (metrics: Metrics): ReplicaObserver => ({
  logWritten: (ms, bytes) => {
    metrics.logWriteSeconds.observe(ms / 1000);
    metrics.logWrittenBytes.add(bytes);
  },
  proposed: ({ result, count, ms }) => {
    metrics.proposals.add(count, result);
    metrics.proposalSeconds.observe(ms / 1000);
  },
  snapshot: (action, result) => metrics.snapshots.inc(action, result),
});
