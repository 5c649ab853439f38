import { fileURLToPath } from 'node:url';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import type { ChannelOptions, MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { decodeFrame } from './frame-codec.ts';
import { FLOW_WINDOW_BYTES, FRAME_BYTES_MAX } from './limits.ts';
import { KEEPALIVE_INTERVAL_MS, KEEPALIVE_TIMEOUT_MS } from './limits.ts';
import type { Frame } from './frames.ts';
import type { RpcName } from './pipes.ts';

type PeerService = Readonly<Record<RpcName, MethodDefinition<Frame, Frame>>>;

/** src/transport/peer and dist/transport/peer lie equally deep in the package. */
const protoPath = fileURLToPath(new URL('../../../proto/peer.proto', import.meta.url));

const loaded = loadSync(protoPath)['quorate.peer.v1.Peer'] as unknown as PeerService;

/** Methods that write as proto-loader compiled it: measured as fast as writing by hand. */
export const peerService = eachMethod((method) => ({
  ...method,
  requestDeserialize: decodeFrame,
  responseDeserialize: decodeFrame,
}));

/** As served: frames come as bytes, for the library would not say what is wrong with one. */
export const servedMethods: ServiceDefinition = eachMethod((method) => ({
  ...method,
  requestDeserialize: (bytes: Buffer) => bytes,
}));

function eachMethod<T>(make: (method: MethodDefinition<Frame, Frame>) => T): Record<RpcName, T> {
  const made = Object.entries(loaded).map(([rpc, method]) => [rpc, make(method)] as const);
  return Object.fromEntries(made) as Record<RpcName, T>;
}

/** What the library has to say comes back as errors, which are logged in our own words. */
setLogVerbosity(logVerbosity.NONE);

const commonOptions: ChannelOptions = {
  'grpc.max_receive_message_length': FRAME_BYTES_MAX,
  'grpc.max_send_message_length': FRAME_BYTES_MAX,
  'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.enable_channelz': 0,
};

/** Peers open one stream a connection; each more could hold a frame that never becomes whole. */
export const serverOptions: ChannelOptions = {
  ...commonOptions,
  'grpc.max_concurrent_streams': 1,
};

/**
 * One connection per client and no retries inside the library: links reconnect by themselves.
 * An HTTP proxy of the environment must not carry a cluster's traffic.
 */
export const clientOptions: ChannelOptions = {
  ...commonOptions,
  // What servers let come in is in wide-windows.ts.
  'grpc-node.flow_control_window': FLOW_WINDOW_BYTES,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
};
