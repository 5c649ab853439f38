import type { Exchange, ParamReader } from './exchange.ts';
import type { JsonStreams } from './json-stream.ts';
import type { HttpLimits } from './limits.ts';
import type { HttpMetrics, NodeApi } from './ports.ts';

/** One row of the table of routes. All take GET and POST. */
export interface Route {
  /** `/name`, `/name/{argument}` (all the rest of the path), or `/name/{argument}/more`. */
  readonly name: string;
  /** Changes something: refused for other sites' pages, and no HEAD. */
  readonly changes: boolean;
  /** Answers; what it throws becomes a refusal. */
  handle(exchange: Exchange): Promise<void> | void;
}

/** What the route groups share. */
export interface RouteParts {
  readonly api: NodeApi;
  readonly limits: HttpLimits;
  readonly params: ParamReader;
  readonly streams: JsonStreams;
  readonly metrics: HttpMetrics;
  readonly version: string;
}
