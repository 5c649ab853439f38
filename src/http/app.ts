import { randomUUID } from 'node:crypto';
import { Router } from '@koa/router';
import Koa from 'koa';
import type { Context, Middleware } from 'koa';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvariantError } from '../shared/index.ts';
import type { Logger } from '../shared/index.ts';
import { requestLineText } from './client-error.ts';
import { isCrossSite } from './cross-site.ts';
import { exchangeOf } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { ClientGone } from './json-stream.ts';
import type { HttpLimits } from './limits.ts';
import { RefusedRequest, refusalOf } from './refusal.ts';
import { replyRefusal } from './reply.ts';
import type { Route, RouteParts } from './route.ts';
import { routeTable } from './routes/index.ts';

export interface AppParts {
  readonly route: RouteParts;
  readonly logger: Logger;
  /** A broken invariant surfaced in a request; the process must not go on. */
  readonly onInvariantBroken: (error: InvariantError) => void;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The routes as a Koa application. Answers are written by the routes themselves, not by Koa. Hot
 * routes are found by one look-up before it: the router, which tries its patterns one by one, and
 * the context that nobody uses would cost a third of their rate.
 */
export function createApp(parts: AppParts): RequestHandler {
  const table = routeTable(parts.route);
  const hot = new Map(table.hot.map((route) => [route.name, route]));
  const app = new Koa();
  app.on('error', (error: Error) => parts.logger.debug({ error }, 'HTTP connection failed'));
  app.use(allRoutes(table, parts));
  app.use((context) => serveWithin(unknownPath, context, parts));
  const callback = app.callback();
  const failed = (response: ServerResponse) => (error: unknown) => {
    parts.logger.error({ error }, 'A request could not be answered');
    response.destroy();
  };
  return (request, response) => {
    const target = request.url ?? '';
    const mark = target.indexOf('?');
    const route = hot.get(mark < 0 ? target : target.slice(0, mark));
    if (route) serve(route, exchangeOf(request, response), parts).catch(failed(response));
    else void callback(request, response);
  };
}

function allRoutes({ hot, others }: ReturnType<typeof routeTable>, parts: AppParts): Middleware {
  const router = new Router({ sensitive: true });
  for (const route of [...hot, ...others]) {
    router.all(patternOf(route), (context) => serveWithin(route, context as Context, parts));
  }
  return router.routes() as Middleware;
}

/**
 * `{argument}` at the end is all the rest of the path: keys hold slashes. Elsewhere it is what stands
 * between two slashes. Routes cut it out themselves.
 */
const patternOf = (route: Route): string =>
  route.name.replace(/\{.*\}$/, '*rest').replace(/\{(\w+)\}/, ':$1');

const unknownPath: Route = {
  name: 'unknown',
  changes: false,
  handle: ({ path }) => {
    const text = `unknown path ${path.slice(0, 200)}`;
    throw new RefusedRequest({ status: 404, text, reason: `NOT_FOUND: ${text}` });
  },
};

function serveWithin(route: Route, context: Context, parts: AppParts): Promise<void> {
  context.respond = false;
  return serve(route, exchangeOf(context.req, context.res), parts);
}

async function serve(route: Route, exchange: Exchange, parts: AppParts): Promise<void> {
  const startedAtMs = performance.now();
  try {
    admit(route, exchange, parts.route.limits);
    await route.handle(exchange);
  } catch (error) {
    answerFailure({ route, exchange, error }, parts);
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  parts.route.metrics.observeRequest(route.name, exchange.response.statusCode, seconds);
}

/** Refuses what no route takes. */
function admit(route: Route, { request }: Exchange, limits: HttpLimits): void {
  const { method = '', url = '' } = request;
  if (method.length + url.length + ' '.length + ' HTTP/1.1'.length > limits.requestLineBytesMax) {
    const text = requestLineText(limits);
    throw new RefusedRequest({ status: 431, text, reason: `TOO_LARGE: ${text}` });
  }
  if (method !== 'GET' && method !== 'POST' && (method !== 'HEAD' || route.changes)) {
    throw wrongMethod(route, method);
  }
  if (route.changes && isCrossSite(request.headers)) {
    const text = 'cross-site request refused';
    throw new RefusedRequest({ status: 403, text, reason: `CONFLICT: ${text}` });
  }
}

function wrongMethod(route: Route, method: string): RefusedRequest {
  const allow = route.changes ? 'GET, POST' : 'GET, HEAD, POST';
  const text = `method ${method} not allowed: use ${allow}`;
  return new RefusedRequest({ status: 405, text, allow, reason: `PARAM_INVALID: ${text}` });
}

interface Failure {
  readonly route: Route;
  readonly exchange: Exchange;
  readonly error: unknown;
}

function answerFailure(failure: Failure, parts: AppParts): void {
  const { route, exchange, error } = failure;
  const { response } = exchange;
  if (error instanceof ClientGone) {
    parts.logger.debug({ route: route.name, error }, 'Client of a long answer cut off');
    response.destroy();
    return;
  }
  const refusal = refusalOf(error);
  const requestId = refusal && !response.headersSent ? '' : logUnexpected(failure, parts.logger);
  if (response.headersSent) response.destroy();
  else replyRefusal(response, refusal ?? internalError(requestId));
  if (error instanceof InvariantError) parts.onInvariantBroken(error);
}

/** The client gets the id, the log gets the rest. */
function logUnexpected({ route, exchange, error }: Failure, logger: Logger): string {
  const requestId = randomUUID();
  const { method } = exchange.request;
  logger.error({ requestId, route: route.name, method, error }, 'Request failed unexpectedly');
  return requestId;
}

function internalError(requestId: string) {
  return { status: 500, text: 'internal error', reason: `INTERNAL: request ${requestId}` };
}
