import { assert, asTerm, QuorateError } from '../../shared/index.ts';
import type { Cancel, PeerId } from '../../shared/index.ts';
import { failureOf } from './failures.ts';
import type { Frame } from './frames.ts';
import { ProtocolError, reportUnforeseen } from './inbound.ts';
import type { Answering, FrameConsumer, ServerContext } from './inbound.ts';
import { SNAPSHOT_CHUNK_BYTES_MAX, SNAPSHOT_SILENCE_MS } from './limits.ts';
import type { SnapshotOffer, SnapshotReceiver } from './peer-transport.ts';

/** The receiver's work on the stream before, if any: a new one begins after it has let go. */
export type SnapshotTurns = Map<PeerId, Promise<void>>;

interface SnapshotInit {
  readonly context: ServerContext;
  readonly from: PeerId;
  readonly stream: Answering;
  readonly turns: SnapshotTurns;
}

/** Takes in one snapshot: one receiver call at a time, the stream unread meanwhile. */
export class InboundSnapshot implements FrameConsumer {
  readonly #init: SnapshotInit;
  readonly #previous: Promise<void>;
  #letGo: () => void = () => undefined;
  #cancelWatch: Cancel = () => undefined;
  #offer: SnapshotOffer | null = null;
  #receiver: SnapshotReceiver | null = null;
  #nextChunk = 0;
  #isBusy = false;
  /** Answered for good: what the peer sent meanwhile is not looked at. */
  #isAnswered = false;
  #isClosed = false;

  constructor(init: SnapshotInit) {
    this.#init = init;
    const { turns, from } = init;
    this.#previous = turns.get(from) ?? Promise.resolve();
    const turn = new Promise<void>((resolve) => {
      this.#letGo = () => {
        if (turns.get(from) === turn) turns.delete(from);
        resolve();
      };
    });
    turns.set(from, turn);
  }

  onFrame(frame: Frame): void {
    if (this.#isAnswered) return;
    if (frame.body === 'offer' && this.#offer === null) this.#begin(frame.offer);
    else if (frame.body === 'chunk') this.#takeChunk(frame.chunk);
    else throw new ProtocolError(`a stream of a snapshot does not carry '${frame.body}' here`);
  }

  onRoom(): void {
    // Answers are few and small.
  }

  onHalfClose(): void {
    if (this.#isAnswered) return;
    const receiver = this.#receiver;
    if (receiver === null || this.#nextChunk !== this.#offer?.chunkCount) {
      throw new ProtocolError('a snapshot ended before its last chunk');
    }
    this.#work(async () => {
      await receiver.finish();
      this.#receiver = null;
      this.#answer({ body: 'done', done: {} });
    });
  }

  onClosed(): void {
    this.#isClosed = true;
    this.#cancelWatch();
    if (!this.#isBusy) this.#abort('its stream broke');
  }

  #begin(offer: { readonly term: number } & Omit<SnapshotOffer, 'term'>): void {
    if (!Number.isSafeInteger(offer.term)) throw new ProtocolError('a term is not a safe integer');
    const accepted: SnapshotOffer = { ...offer, term: asTerm(offer.term) };
    this.#offer = accepted;
    this.#work(async () => {
      await this.#previous;
      if (this.#isClosed) return;
      this.#receiver = await this.#init.context.handlers.onSnapshot(this.#init.from, accepted);
      this.#nextChunk = this.#receiver.startAt;
      assert(this.#nextChunk <= accepted.chunkCount, 'A receiver starts at a chunk on offer');
      this.#init.stream.write({ body: 'start', start: { chunk: this.#nextChunk } }, 0);
    });
  }

  #takeChunk(chunk: { readonly number: number; readonly bytes: Uint8Array }): void {
    const receiver = this.#receiver;
    const isNext =
      chunk.number === this.#nextChunk && this.#nextChunk < (this.#offer?.chunkCount ?? 0);
    if (receiver === null || this.#isBusy || !isNext) {
      throw new ProtocolError('a chunk of a snapshot comes out of turn');
    }
    if (chunk.bytes.length > SNAPSHOT_CHUNK_BYTES_MAX)
      throw new ProtocolError('a chunk is too large');
    this.#nextChunk++;
    this.#work(() => receiver.take(chunk.number, chunk.bytes));
  }

  /** Runs one call of the receiver; the stream is not read until it has settled. */
  #work(run: () => Promise<void>): void {
    this.#isBusy = true;
    this.#cancelWatch();
    this.#init.stream.pause();
    void run()
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#isBusy = false;
        if (this.#isClosed) this.#abort('its stream broke');
        else this.#resume();
      });
  }

  /** The watch first: to resume may tell the end that was held back, and that ends the watch. */
  #resume(): void {
    if (!this.#isAnswered) this.#watchSilence();
    this.#init.stream.resume();
  }

  /** A process that lives can have a disk that hangs: only chunks show that the transfer goes on. */
  #watchSilence(): void {
    const silence = `no chunk came for ${SNAPSHOT_SILENCE_MS / 1000} s`;
    const error = new QuorateError('UNREACHABLE', `Cannot wait for the snapshot: ${silence}`);
    const { clock } = this.#init.context;
    this.#cancelWatch = clock.after(SNAPSHOT_SILENCE_MS, () => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (!(error instanceof QuorateError)) reportUnforeseen(this.#init.context, error);
    const failure = failureOf(error);
    this.#abort(failure.message);
    this.#answer({ body: 'failure', failure });
  }

  #answer(frame: Frame): void {
    this.#isAnswered = true;
    this.#letGo();
    this.#init.stream.write(frame, 0);
    this.#init.stream.end();
  }

  /** Also when there is nothing to abort: the peer's next stream waits for it. */
  #abort(reason: string): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.abort(reason);
    this.#letGo();
  }
}
