import { QuorateError } from '../../shared/index.ts';
import { failureOf } from './failures.ts';
import type { CallRequest, CallResponse, Frame } from './frames.ts';
import { ProtocolError, reportUnforeseen } from './inbound.ts';
import type { Answering, FrameConsumer, ServerContext } from './inbound.ts';
import { BODY_BYTES_MAX, CALL_BYTES_PENDING_MAX, CALLS_SERVED_MAX } from './limits.ts';
import { GATHER_BYTES_MAX, GATHER_ITEMS_MAX, METHOD_BYTES_MAX } from './limits.ts';

const RESPONSE_HEAD_BYTES = 16;
const noBytes = new Uint8Array(0);

type OnCall = (method: string, body: Uint8Array) => Promise<Uint8Array>;

/** Runs one call to its response; never rejects. */
async function answer(
  context: ServerContext,
  onCall: OnCall,
  request: CallRequest,
): Promise<CallResponse> {
  const { id, method, body } = request;
  try {
    const result = await onCall(method, body);
    if (result.length > BODY_BYTES_MAX) {
      const found = `the answer has ${result.length} bytes`;
      throw new QuorateError('TOO_LARGE', `Cannot answer '${method}' as asked: ${found}`);
    }
    return { id, body: result, failure: null };
  } catch (error) {
    if (!(error instanceof QuorateError)) reportUnforeseen(context, error);
    return { id, body: noBytes, failure: failureOf(error) };
  }
}

/** Serves a stream of calls. Answers that are ready in one turn share a frame. */
export class InboundCalls implements FrameConsumer {
  readonly #context: ServerContext;
  readonly #onCall: OnCall;
  readonly #stream: Answering;
  #ready: CallResponse[] = [];
  #readyBytes = 0;
  #servedCount = 0;
  #isFlushPlanned = false;
  #isPaused = false;

  constructor(context: ServerContext, stream: Answering, onCall: OnCall) {
    this.#context = context;
    this.#stream = stream;
    this.#onCall = onCall;
  }

  onFrame(frame: Frame): void {
    if (frame.body !== 'requests')
      throw new ProtocolError('a stream of calls carries requests only');
    for (const request of frame.requests.requests) {
      if (Buffer.byteLength(request.method) > METHOD_BYTES_MAX) {
        throw new ProtocolError(`a method has more than ${METHOD_BYTES_MAX} bytes`);
      }
      this.#servedCount++;
      void this.#serve(request);
    }
    this.#pauseOrResume();
  }

  onRoom(): void {
    this.#flush();
  }

  onHalfClose(): void {
    this.#stream.end();
  }

  onClosed(): void {
    this.#ready = [];
  }

  async #serve(request: CallRequest): Promise<void> {
    const response = await answer(this.#context, this.#onCall, request);
    this.#ready.push(response);
    this.#readyBytes += sizeOf(response);
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    queueMicrotask(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    let taken = 0;
    while (taken < this.#ready.length && this.#stream.hasRoom) {
      const responses: CallResponse[] = [];
      let bytes = 0;
      while (taken < this.#ready.length && hasRoom(responses.length, bytes)) {
        const response = this.#ready[taken++] as CallResponse;
        responses.push(response);
        bytes += sizeOf(response);
      }
      this.#stream.write({ body: 'responses', responses: { responses } }, bytes);
      this.#readyBytes -= bytes;
    }
    this.#ready = taken === this.#ready.length ? [] : this.#ready.slice(taken);
    this.#servedCount -= taken;
    this.#pauseOrResume();
  }

  /** Too much at once is not refused but left unread: the caller's own bound then answers. */
  #pauseOrResume(): void {
    const isFull =
      this.#servedCount >= CALLS_SERVED_MAX || this.#readyBytes >= CALL_BYTES_PENDING_MAX;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#stream.pause();
    else this.#stream.resume();
  }
}

function sizeOf(response: CallResponse): number {
  return RESPONSE_HEAD_BYTES + response.body.length + (response.failure?.message.length ?? 0);
}

const hasRoom = (count: number, bytes: number): boolean =>
  count < GATHER_ITEMS_MAX && bytes < GATHER_BYTES_MAX;
