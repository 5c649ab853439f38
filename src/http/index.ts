export type { HttpLimits } from './limits.ts';
export type {
  ClusterApi,
  EventJson,
  EventQuery,
  HeardVerdict,
  HttpMetrics,
  KeyConsensus,
  KeyHealthView,
  KeyQuery,
  KeySamples,
  KeySummary,
  LeaderAddresses,
  MembersConsensus,
  MemberSummary,
  NodeApi,
  Pair,
  Readiness,
  ReadOptions,
  StoreApi,
  WaitOptions,
  WatchApi,
} from './ports.ts';
export { createHttpServer } from './server.ts';
export type { HttpServer } from './server.ts';
