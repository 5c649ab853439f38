import type { Cancel, Clock, ClusterId, PeerId } from '../../shared/index.ts';
import { FrameWriter } from './frame-writer.ts';
import type { Frame } from './frames.ts';
import { greetingErrorOf, helloFrom, laterLineageIn, outdatedText } from './identity.ts';
import type { Identity } from './identity.ts';
import { HELLO_TIMEOUT_MS } from './limits.ts';
import type { OutboundPipe, PipeEnd, Pipes, RpcName } from './pipes.ts';

/** What every dialler needs. */
export interface DialContext {
  readonly pipes: Pipes;
  readonly clock: Clock;
  /** Read at each hello: a joining node learns its cluster later. */
  readonly identity: () => Identity;
}

export interface StreamTarget {
  readonly rpc: RpcName;
  /** null: whoever serves at the address. */
  readonly peer: PeerId | null;
  readonly address: string;
}

export interface StreamEnd extends PipeEnd {
  /** The peer is of this node's cluster as it was recovered without this node's data. */
  readonly newer?: ClusterId;
}

export interface StreamEvents {
  /** The peer has answered the hello: frames may be written. */
  onOpen(): void;
  /** Every frame after the peer's hello. */
  onFrame(frame: Frame): void;
  /** A written frame waits in memory no more. */
  onFlushed(): void;
  /** Once, and not after `close`. */
  onEnd(end: StreamEnd): void;
}

/**
 * One pipe to one peer, from the first packet to the end. It is open only when the peer has
 * agreed to the hello: until then surely nothing else was sent.
 */
export class GreetedStream {
  readonly #context: DialContext;
  readonly #target: StreamTarget;
  readonly #events: StreamEvents;
  readonly #pipe: OutboundPipe;
  readonly #writer: FrameWriter;
  #cancelTimer: Cancel = () => undefined;
  #isOpen = false;
  #isOver = false;

  constructor(context: DialContext, target: StreamTarget, events: StreamEvents) {
    this.#context = context;
    this.#target = target;
    this.#events = events;
    this.#pipe = context.pipes.dial(target.address, target.rpc, {
      onConnected: () => this.#greet(),
      onFrame: (frame) => this.#receive(frame),
      onEnd: (end) => this.#end(end),
    });
    this.#writer = new FrameWriter(this.#pipe, () => {
      if (this.#isOpen && !this.#isOver) events.onFlushed();
    });
  }

  get hasRoom(): boolean {
    return this.#isOpen && !this.#isOver && this.#writer.hasRoom;
  }

  /** Only while it is open. `bytes`: about how large the frame is. */
  write(frame: Frame, bytes: number): void {
    this.#writer.write(frame, bytes);
  }

  /** No more frames will be written; the peer may still answer. */
  finish(): void {
    this.#pipe.finish();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    this.#pipe.cancel();
  }

  #greet(): void {
    if (this.#isOver) return;
    const reason = 'it accepts connections but does not answer';
    this.#cancelTimer = this.#context.clock.after(HELLO_TIMEOUT_MS, () =>
      this.#end({ refused: false, reason }),
    );
    const hello = helloFrom(this.#context.identity(), this.#target.peer);
    this.#writer.write({ body: 'hello', hello }, 0);
  }

  #receive(frame: Frame): void {
    if (this.#isOver) return;
    if (this.#isOpen) {
      this.#events.onFrame(frame);
      return;
    }
    const refusal = this.#refusalIn(frame);
    if (refusal !== null) {
      this.#end(refusal);
      return;
    }
    this.#cancelTimer();
    this.#isOpen = true;
    this.#events.onOpen();
  }

  /** null: the answer is the hello of whom was dialled. */
  #refusalIn(frame: Frame): StreamEnd | null {
    const { peer } = this.#target;
    const identity = this.#context.identity();
    // Before who it is: at the address of an old peer may be its next incarnation.
    const newer = peer === null ? null : laterLineageIn(frame, identity);
    if (newer !== null) {
      return { refused: true, reason: outdatedText(identity.self, newer), newer };
    }
    const reason = greetingErrorOf(frame, peer);
    return reason === null ? null : { refused: true, reason };
  }

  #end(end: StreamEnd): void {
    if (this.#isOver) return;
    this.close();
    this.#events.onEnd(end);
  }
}
