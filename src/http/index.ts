export { httpLimitsDefault } from './limits.ts';
export type { HttpLimits } from './limits.ts';
export type {
  ClusterApi,
  Consistency,
  EventJson,
  EventQuery,
  HeardVerdict,
  HttpMetrics,
  KeyConsensus,
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
  Sample,
  StoreApi,
  WaitOptions,
  WatchApi,
} from './ports.ts';
export { createHttpServer } from './server.ts';
export type { HttpServer, HttpServerInit } from './server.ts';
