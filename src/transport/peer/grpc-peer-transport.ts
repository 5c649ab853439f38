import { GrpcPipes } from './grpc-pipes.ts';
import type { PeerCredentials } from './grpc-pipes.ts';
import type { PeerTransport, PeerTransportInit } from './peer-transport.ts';
import { PipedPeerTransport } from './piped-peer-transport.ts';

export interface GrpcPeerTransportInit extends PeerTransportInit {
  /** Plain text when absent. */
  readonly credentials?: PeerCredentials;
}

/** The peer transport over TCP: proto/peer.proto. */
export function createGrpcPeerTransport(init: GrpcPeerTransportInit): PeerTransport {
  return new PipedPeerTransport(init, new GrpcPipes(init.clock, init.credentials));
}
