import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { assert } from '../../shared/index.ts';
import { FLOW_WINDOW_BYTES } from './limits.ts';

/** The one place of the library where a server's sessions can be had. */
interface Inner {
  createHttp2Server?: (credentials: ServerCredentials) => Http2Server;
}

/**
 * Lets peers have `FLOW_WINDOW_BYTES` under way to this server, on each connection and stream. The
 * library's own option widens only what clients take in, and peers send on connections that they
 * dialled: with the 64 KiB of HTTP/2, 100 ms between data centres leave half a MiB/s.
 */
export function widenWindows(server: Server): void {
  const inner = server as unknown as Inner;
  const create = inner.createHttp2Server?.bind(server);
  assert(create !== undefined, 'The gRPC library makes its HTTP/2 servers in createHttp2Server');
  inner.createHttp2Server = (credentials) => create(credentials).on('session', widen);
}

function widen(session: ServerHttp2Session): void {
  session.settings({ initialWindowSize: FLOW_WINDOW_BYTES });
  session.setLocalWindowSize(FLOW_WINDOW_BYTES);
}
