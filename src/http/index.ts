export type { HttpLimits } from './limits.ts';
export type {
  ClientRequest,
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
  WriteOptions,
} from './ports.ts';
export { createHttpServer } from './server.ts';
export type { HttpServer } from './server.ts';
