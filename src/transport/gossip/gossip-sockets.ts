import type { Logger } from '../../shared/index.ts';

/** Bounds of the sockets; each says what happens when it is reached. */
export const socketLimits = {
  /** One side of an exchange; a longer one is refused. */
  exchangeBytesMax: 8 * 1024 * 1024,
  /** Incoming exchanges at once; further ones are closed at once. */
  incomingMax: 64,
  /** Exchanges of this node at once; further ones are rejected. */
  outgoingMax: 64,
  /** An incoming exchange that takes longer is cut. */
  incomingMs: 10_000,
} as const;

export interface GossipSocketsInit {
  /** host:port for UDP and TCP; port 0 takes a free one. */
  readonly listen: string;
  readonly logger: Logger;
  readonly onDatagram: (from: string, bytes: Uint8Array) => void;
  /** The answer to a request over TCP; null refuses it. */
  readonly onExchange: (from: string, bytes: Uint8Array) => Uint8Array | null;
  /** Nothing can be sent there now: no route, no such name. */
  readonly onSendFailed: (to: string) => void;
  /** Keys of 16, 24 or 32 bytes: the first one encrypts, all decrypt. None: plain text. */
  readonly keys?: readonly Uint8Array[];
}

/** The datagrams and the exchanges of a node. A datagram may get lost, and nobody is told. */
export interface GossipSockets {
  /** Throws QuorateError CONFIG_INVALID when it cannot listen. */
  start(): Promise<void>;
  /** Ends all exchanges; may be called twice. */
  stop(): Promise<void>;
  /** host:port that it listens on, once started. */
  address(): string;
  /** Never throws for what the network does. */
  send(to: string, bytes: Uint8Array): void;
  /** One request, one response. Rejects with QuorateError UNREACHABLE. */
  exchange(to: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
}
