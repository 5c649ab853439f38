import type { Frame } from './frames.ts';

/** A rpc of service Peer, named as in proto/peer.proto. */
export type RpcName = 'Control' | 'Append' | 'Calls' | 'Snapshot' | 'CallAddress';

export interface PipeEnd {
  /** The other side answered and does not want this pipe: asking again soon is pointless. */
  readonly refused: boolean;
  readonly reason: string;
}

/** The dialling side of a pipe: frames in order, both ways, until either side ends it. */
export interface OutboundPipe {
  /** Only once connected. `flushed`: the frame waits in memory no more. */
  write(frame: Frame, flushed: () => void): void;
  /** No more frames will be written; the other side may still answer. */
  finish(): void;
  /** Ends both directions at once. No event follows. */
  cancel(): void;
}

export interface OutboundEvents {
  /** Something accepts connections at that address. Not before `dial` has returned. */
  onConnected(): void;
  onFrame(frame: Frame): void;
  /** Once, last, after all frames that came in good order. Not before `dial` has returned. */
  onEnd(end: PipeEnd): void;
}

/** The serving side of a pipe. */
export interface InboundPipe {
  /** Where it comes from, for people. */
  readonly remote: string;
  listen(events: InboundEvents): void;
  write(frame: Frame, flushed: () => void): void;
  /** Neither onFrame nor onHalfClose until `resume`; soon the other side cannot write either. */
  pause(): void;
  resume(): void;
  /** Ends it in good order when all that was written is flushed. */
  finish(): void;
  /** Ends it; the other side learns why. */
  refuse(reason: string): void;
}

export interface InboundEvents {
  onFrame(frame: Frame): void;
  /** What came is no frame that may be taken, for this reason. */
  onUnreadable(reason: string): void;
  /** The other side will write no more. */
  onHalfClose(): void;
  /** Once, last. May come after `refuse` and `finish` too. */
  onClosed(): void;
}

/** The lowest seam of the peer transport: all above it is the same on gRPC and in memory. */
export interface Pipes {
  /** Never throws: what is wrong with the address comes as onEnd. */
  dial(address: string, rpc: RpcName, events: OutboundEvents): OutboundPipe;
  /** Rejects with CONFIG_INVALID when `listen` cannot be bound. */
  serve(listen: string, accept: (rpc: RpcName, pipe: InboundPipe) => void): Promise<void>;
  /** Ends serving and all pipes that came in. */
  stop(): Promise<void>;
}
