import type { Clock, Random } from '../shared/index.ts';
import type { Files, KvFactory } from '../storage/index.ts';
import type {
  GossipSockets,
  GossipSocketsInit,
  PeerTransport,
  PeerTransportInit,
} from '../transport/index.ts';

/** The world below a node: real in production, made of memory and virtual time in simulations. */
export interface Surroundings {
  readonly files: Files;
  readonly kvFactory: KvFactory;
  readonly clock: Clock;
  readonly random: Random;
  makeTransport(init: PeerTransportInit): PeerTransport;
  makeGossipSockets(init: GossipSocketsInit): GossipSockets;
}
