export { createGrpcPeerTransport } from './peer/grpc-peer-transport.ts';
export type { GrpcPeerTransportInit } from './peer/grpc-peer-transport.ts';
export type { PeerCredentials } from './peer/grpc-pipes.ts';
export { MemoryNetwork, noFaults } from './peer/memory-network.ts';
export type { MemoryNetworkFaults } from './peer/memory-network.ts';
export { createMemoryPeerTransport } from './peer/memory-peer-transport.ts';
export { HANDSHAKE } from './peer/peer-transport.ts';
export type {
  CallMethod,
  OutdatedBy,
  PeerHandlers,
  PeerLinkStatus,
  PeerTransport,
  PeerTransportInit,
  SnapshotOffer,
  SnapshotReceiver,
  SnapshotSource,
} from './peer/peer-transport.ts';
export type { GossipSockets, GossipSocketsInit } from './gossip/gossip-sockets.ts';
export { MemoryGossipNetwork, memoryGossipSockets } from './gossip/memory-gossip.ts';
export type { GossipFaults } from './gossip/memory-gossip.ts';
export { gossipSockets } from './gossip/node-gossip-sockets.ts';
export { parseGossipKeys } from './gossip/sealing.ts';
