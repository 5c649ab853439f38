import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QuorateError } from '../shared/index.ts';
import type { InvariantError, Logger } from '../shared/index.ts';
import { createApp } from './app.ts';
import type { RequestHandler } from './app.ts';
import { answerClientError } from './client-error.ts';
import { ParamReader } from './exchange.ts';
import { refusedForm } from './form.ts';
import { JsonStreams } from './json-stream.ts';
import { httpLimitsDefault } from './limits.ts';
import type { HttpLimits } from './limits.ts';
import type { HttpMetrics, NodeApi } from './ports.ts';

export interface HttpServerInit {
  readonly api: NodeApi;
  readonly logger: Logger;
  readonly metrics: HttpMetrics;
  /** For `/version`. */
  readonly version: string;
  /** Over the defaults. */
  readonly limits?: Partial<HttpLimits>;
  /** Must stop the process. By default the error becomes an uncaught exception. */
  readonly onInvariantBroken?: (error: InvariantError) => void;
}

export interface HttpServer {
  /**
   * Listens on `host:port` (`[host]:port` for IPv6; port 0 draws one) and resolves with the address
   * that was bound. Rejects with CONFIG_INVALID naming `--http`.
   */
  start(listen: string): Promise<string>;
  /**
   * Takes no more connections, lets running requests end for `graceMs`, then cuts them off. May be
   * called twice.
   */
  stop(graceMs: number): Promise<void>;
}

const connectionsCheckingIntervalMs = 1000;
const stopPollMs = 20;
/** On top of the longest wait, so that silence during a wait is not taken for a dead client. */
const idleMarginMs = 15_000;

/** The HTTP side of a node. */
export function createHttpServer(init: HttpServerInit): HttpServer {
  const limits = { ...httpLimitsDefault, ...init.limits };
  let isStopping = false;
  let stopped: Promise<void> | undefined;
  const handle = requestHandler(init, limits);
  const server = serverWith(limits, (request, response) => {
    if (isStopping) response.shouldKeepAlive = false;
    handle(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = answerClientError(error, socket, limits);
    if (status > 0) init.metrics.observeRequest('malformed', status, 0);
  });
  return {
    start: (listen) => startListening(server, listen, init.logger),
    stop: (graceMs) => {
      isStopping = true;
      stopped ??= stopListening(server, graceMs);
      return stopped;
    },
  };
}

function requestHandler(init: HttpServerInit, limits: HttpLimits): RequestHandler {
  const { api, metrics, version, logger, onInvariantBroken = becomeUncaught } = init;
  const params = new ParamReader(limits);
  const streams = new JsonStreams(limits);
  const route = { api, limits, params, streams, metrics, version };
  return createApp({ route, logger, onInvariantBroken });
}

function becomeUncaught(error: InvariantError): void {
  setImmediate(() => {
    throw error;
  });
}

function serverWith(limits: HttpLimits, handle: RequestHandler): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.requestLineBytesMax + limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: connectionsCheckingIntervalMs,
    },
    handle,
  );
  server.maxConnections = limits.connectionsMax;
  server.timeout = limits.waitMsMax + idleMarginMs;
  server.on('checkContinue', (request, response) => {
    // A body that will be refused need not be sent at all.
    if (!refusedForm(request, limits.formBytesMax)) response.writeContinue();
    handle(request, response);
  });
  return server;
}

function startListening(server: Server, listen: string, logger: Logger): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => reject(cannotListen(listen, cause.message, cause));
    const colon = listen.lastIndexOf(':');
    const port = Number(listen.slice(colon + 1));
    if (colon < 0 || !/:\d{1,5}$/.test(listen) || port > 65_535) {
      reject(cannotListen(listen, 'expected host:port'));
      return;
    }
    server.once('error', fail);
    server.listen(port, listen.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), () => {
      server.off('error', fail);
      server.on('error', (error) => logger.error({ error }, 'HTTP server failed'));
      resolve(addressText(server.address() as AddressInfo));
    });
  });
}

function cannotListen(listen: string, found: string, cause?: Error): QuorateError {
  const options = cause ? { cause } : {};
  return new QuorateError('CONFIG_INVALID', `Cannot listen as --http ${listen}: ${found}`, options);
}

function addressText({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Kept-alive connections close as they fall idle; Node alone would wait for their next request. */
function stopListening(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const poll = setInterval(() => server.closeIdleConnections(), stopPollMs);
    const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(poll);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
