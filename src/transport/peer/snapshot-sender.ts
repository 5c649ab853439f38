import { QuorateError } from '../../shared/index.ts';
import type { ErrorCode } from '../../shared/index.ts';
import { errorOf } from './failures.ts';
import type { Frame } from './frames.ts';
import { GreetedStream } from './greeted-stream.ts';
import type { DialContext } from './greeted-stream.ts';
import type { LinkTarget } from './link.ts';
import { SNAPSHOT_CHUNK_BYTES_MAX } from './limits.ts';
import type { SnapshotSource } from './peer-transport.ts';

interface Settling {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends one snapshot on a stream of its own, see PeerTransport.sendSnapshot. Chunks are read
 * ahead of the socket by no more than a FrameWriter lets wait.
 */
export class SnapshotSender {
  readonly done: Promise<void>;
  readonly #source: SnapshotSource;
  readonly #target: LinkTarget;
  readonly #stream: GreetedStream;
  #settling: Settling | null = null;
  #wake: (() => void) | null = null;

  constructor(context: DialContext, target: LinkTarget, source: SnapshotSource) {
    this.#source = source;
    this.#target = target;
    this.done = new Promise((resolve, reject) => {
      this.#settling = { resolve, reject };
    });
    this.#stream = new GreetedStream(context, target, {
      onOpen: () => this.#stream.write({ body: 'offer', offer: source.offer }, 0),
      onFrame: (frame) => this.#receive(frame),
      onFlushed: () => this.#wake?.(),
      onEnd: (end) => this.#fail(this.#error('UNREACHABLE', end.reason)),
    });
  }

  /** Cuts the stream; `done` rejects with STOPPED unless it has settled. */
  stop(reason: string): void {
    this.#fail(this.#error('STOPPED', reason));
  }

  #receive(frame: Frame): void {
    if (frame.body === 'start') this.#start(frame.start.chunk);
    else if (frame.body === 'done') this.#succeed();
    else if (frame.body === 'failure') this.#fail(errorOf(frame.failure));
  }

  #start(firstChunk: number): void {
    this.#sendFrom(firstChunk).catch((error: unknown) => this.#fail(error));
  }

  async #sendFrom(firstChunk: number): Promise<void> {
    const { chunkCount } = this.#source.offer;
    for (let number = firstChunk; number < chunkCount; number++) {
      if (!this.#stream.hasRoom) await this.#room();
      if (this.#settling === null) return;
      const bytes = await this.#source.readChunk(number);
      if (bytes.length > SNAPSHOT_CHUNK_BYTES_MAX) {
        throw this.#error('TOO_LARGE', `chunk ${number} has ${bytes.length} bytes`);
      }
      this.#stream.write({ body: 'chunk', chunk: { number, bytes } }, bytes.length);
    }
    this.#stream.finish();
  }

  /** Resolves when the stream takes more, or is over. */
  async #room(): Promise<void> {
    while (this.#settling !== null && !this.#stream.hasRoom) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = null;
  }

  #succeed(): void {
    const settling = this.#end();
    settling?.resolve();
  }

  #fail(error: unknown): void {
    const settling = this.#end();
    settling?.reject(error);
  }

  #end(): Settling | null {
    const settling = this.#settling;
    this.#settling = null;
    this.#stream.close();
    this.#wake?.();
    return settling;
  }

  #error(code: ErrorCode, found: string): QuorateError {
    const { peer, address } = this.#target;
    return new QuorateError(code, `Cannot send a snapshot to '${peer}' at ${address}: ${found}`);
  }
}
