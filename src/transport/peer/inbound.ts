import { InvariantError } from '../../shared/index.ts';
import type { Clock, Logger, PeerId } from '../../shared/index.ts';
import type { Frame } from './frames.ts';
import type { Identity } from './identity.ts';
import type { LogGate } from './log-gate.ts';
import type { PeerHandlers } from './peer-transport.ts';

export interface ServerContext {
  /** Read at each hello: a joining node learns its cluster later. */
  readonly identity: () => Identity;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logGate: LogGate;
  readonly handlers: PeerHandlers;
  /** A peer was let in: it is up. */
  readonly onGreeted: (peer: PeerId) => void;
}

/** The side of a stream that those who serve it see. */
export interface Answering {
  readonly hasRoom: boolean;
  write(frame: Frame, bytes: number): void;
  pause(): void;
  resume(): void;
  /** Closes in good order once all that was written is flushed. */
  end(): void;
}

/** What serves a stream after its hello. */
export interface FrameConsumer {
  /** Throws ProtocolError on what no honest peer sends: the stream is then closed. */
  onFrame(frame: Frame): void;
  /** A written frame was taken by the socket. */
  onRoom(): void;
  /** The peer will send no more. May throw ProtocolError too. */
  onHalfClose(): void;
  /** The stream is gone. Once, last. */
  onClosed(): void;
}

/** A peer broke the protocol. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** A handler failed for a reason nobody foresaw. A broken invariant stops the process. */
export function reportUnforeseen(context: ServerContext, error: unknown): void {
  if (error instanceof InvariantError) {
    queueMicrotask(() => {
      throw error;
    });
  }
  context.logger.error({ error }, 'What a peer asked for failed unexpectedly');
}
