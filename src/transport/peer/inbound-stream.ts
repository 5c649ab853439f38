import { fromUtf8, utf8 } from '../../shared/index.ts';
import type { Cancel } from '../../shared/index.ts';
import { FrameWriter } from './frame-writer.ts';
import type { Frame, Hello } from './frames.ts';
import { helloFrom } from './identity.ts';
import { ProtocolError } from './inbound.ts';
import type { Answering, FrameConsumer, ServerContext } from './inbound.ts';
import { HELLO_TIMEOUT_MS, REASON_CHARS_MAX } from './limits.ts';
import type { InboundPipe } from './pipes.ts';

/** Who decides about a stream's hello. */
export interface StreamHost {
  /** Why the stream must not be served; null when it may be. */
  refusalOf(hello: Hello): string | null;
  /** Whether one that is refused is to see who this node is: its own cluster, recovered without it. */
  isOutdated(hello: Hello): boolean;
  accept(hello: Hello, stream: InboundStream): FrameConsumer;
  /** A stream that was accepted is gone. */
  closed(hello: Hello, stream: InboundStream): void;
}

/** One stream that a peer opened. Nothing of it reaches a consumer before its hello is accepted. */
export class InboundStream implements Answering {
  readonly #context: ServerContext;
  readonly #pipe: InboundPipe;
  readonly #host: StreamHost;
  readonly #writer: FrameWriter;
  readonly #cancelTimer: Cancel;
  #accepted: { readonly hello: Hello; readonly consumer: FrameConsumer } | null = null;
  #isOver = false;

  constructor(context: ServerContext, pipe: InboundPipe, host: StreamHost) {
    this.#context = context;
    this.#pipe = pipe;
    this.#host = host;
    this.#writer = new FrameWriter(pipe, () => {
      if (!this.#isOver) this.#accepted?.consumer.onRoom();
    });
    this.#cancelTimer = context.clock.after(HELLO_TIMEOUT_MS, () =>
      this.refuse('it sends no hello'),
    );
    pipe.listen({
      onFrame: (frame) => this.#guarded(() => this.#receive(frame)),
      onUnreadable: (reason) => this.#breached(reason),
      onHalfClose: () => this.#guarded(() => this.#halfClosed()),
      onClosed: () => this.#close(),
    });
  }

  get hasRoom(): boolean {
    return !this.#isOver && this.#writer.hasRoom;
  }

  write(frame: Frame, bytes: number): void {
    if (!this.#isOver) this.#writer.write(frame, bytes);
  }

  pause(): void {
    this.#pipe.pause();
  }

  resume(): void {
    this.#pipe.resume();
  }

  end(): void {
    this.#pipe.finish();
  }

  /** Closes the stream; the peer learns why and pauses before it comes again. */
  refuse(reason: string): void {
    if (this.#isOver) return;
    this.#close();
    this.#pipe.refuse(reason);
  }

  #receive(frame: Frame): void {
    if (this.#isOver) return;
    if (this.#accepted !== null) this.#accepted.consumer.onFrame(frame);
    else if (frame.body === 'hello') this.#greet(frame.hello);
    else throw new ProtocolError('its first frame is not a hello');
  }

  #greet(hello: Hello): void {
    const refusal = this.#host.refusalOf(hello);
    if (refusal !== null) {
      this.#complain(hello, refusal);
      if (this.#host.isOutdated(hello)) this.#showAndEnd();
      else this.refuse(refusal);
      return;
    }
    this.#cancelTimer();
    this.#accepted = { hello, consumer: this.#host.accept(hello, this) };
    this.#answer();
  }

  #answer(): void {
    this.write({ body: 'hello', hello: helloFrom(this.#context.identity(), null) }, 0);
  }

  /** In good order: a refusal might overtake the hello, which says more. */
  #showAndEnd(): void {
    this.#answer();
    this.end();
    this.#close();
  }

  /** A node that knows no cluster yet is expected to be dialled too early. */
  #complain(hello: Hello, refusal: string): void {
    const { logger, logGate, identity } = this.#context;
    const { from, address } = hello;
    const fields = { from, address, remote: this.#pipe.remote, refusal };
    if (identity().clusterId !== null && logGate.passes(`refuse ${from} ${refusal}`)) {
      logger.warn(fields, `Refused ${from} at ${address}: ${refusal}`);
    } else {
      logger.debug(fields, 'Refused a peer');
    }
  }

  #halfClosed(): void {
    if (this.#isOver) return;
    if (this.#accepted === null) this.#pipe.finish();
    else this.#accepted.consumer.onHalfClose();
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#breached(error.message);
    }
  }

  /** What is quoted of the peer's own words may be of any length. */
  #breached(found: string): void {
    if (this.#isOver) return;
    const reason = shortened(found);
    const { logger, logGate } = this.#context;
    if (logGate.passes(`protocol ${reason}`)) {
      const fields = { remote: this.#pipe.remote, reason };
      logger.warn(fields, `Closed the stream of a peer that breaks the protocol: ${reason}`);
    }
    this.refuse(reason);
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    if (this.#accepted === null) return;
    this.#host.closed(this.#accepted.hello, this);
    this.#accepted.consumer.onClosed();
  }
}

function shortened(reason: string): string {
  if (reason.length <= REASON_CHARS_MAX) return reason;
  // Half a character would not go into a header: it becomes U+FFFD.
  return `${fromUtf8(utf8(reason.slice(0, REASON_CHARS_MAX)))}...`;
}
