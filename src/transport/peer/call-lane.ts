import { QuorateError } from '../../shared/index.ts';
import type { Cancel, ErrorCode } from '../../shared/index.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { errorOf } from './failures.ts';
import type { CallRequest, CallResponse, Frame } from './frames.ts';
import { CALL_BYTES_PENDING_MAX, CALLS_PENDING_MAX } from './limits.ts';
import { GATHER_BYTES_MAX, GATHER_ITEMS_MAX } from './limits.ts';
import { Link } from './link.ts';
import type { LinkContext, LinkTarget } from './link.ts';

const REQUEST_HEAD_BYTES = 48;

interface PendingCall {
  readonly request: CallRequest;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: QuorateError) => void;
  readonly cancelTimer: Cancel;
  /** Written to an open stream: from here on the peer may have read it. */
  isSent: boolean;
}

/** Calls to one peer: many in flight on one stream, answered in any order. */
export class CallLane {
  readonly #context: LinkContext;
  readonly #target: LinkTarget;
  readonly #link: Link;
  readonly #pending = new Map<number, PendingCall>();
  /** Calls that are not sent yet; those that timed out meanwhile are passed over. */
  readonly #unsent = new BoundedQueue<PendingCall>({
    itemsMax: CALLS_PENDING_MAX * 2,
    bytesMax: CALL_BYTES_PENDING_MAX * 2,
    drop: 'oldest',
  });
  #pendingBytes = 0;
  #lastId = 0;
  #isFlushPlanned = false;

  constructor(context: LinkContext, target: LinkTarget) {
    this.#context = context;
    this.#target = target;
    this.#link = new Link(context, target, {
      onRoom: () => this.#flush(),
      onFrame: (frame) => this.#receive(frame),
      onDown: (reason) => this.#failAll(reason, 'UNREACHABLE'),
    });
  }

  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /** See PeerTransport.call. */
  call(method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (!this.#hasRoomFor(body)) {
      return Promise.reject(this.#error('OVERLOADED', 'too many calls to it are in flight'));
    }
    return new Promise((resolve, reject) => {
      const request = { id: this.#nextId(), method, body };
      const cancelTimer = this.#context.clock.after(timeoutMs, () => this.#timeOut(request.id));
      const call: PendingCall = { request, resolve, reject, cancelTimer, isSent: false };
      this.#pending.set(request.id, call);
      this.#pendingBytes += body.length;
      this.#unsent.push(call, REQUEST_HEAD_BYTES + body.length);
      this.#planFlush();
    });
  }

  /** See Link. */
  hurry(): void {
    this.#link.hurry();
  }

  close(): void {
    this.#link.close();
    this.#failAll('this node stops or forgets it', 'STOPPED');
  }

  #hasRoomFor(body: Uint8Array): boolean {
    if (this.#pending.size >= CALLS_PENDING_MAX) return false;
    return this.#pending.size === 0 || this.#pendingBytes + body.length <= CALL_BYTES_PENDING_MAX;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    queueMicrotask(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#unsent.length > 0 && this.#link.hasRoom) {
      const requests: CallRequest[] = [];
      let bytes = 0;
      for (const call of this.#unsent.take(GATHER_ITEMS_MAX, GATHER_BYTES_MAX)) {
        if (this.#pending.get(call.request.id) !== call) continue;
        call.isSent = true;
        requests.push(call.request);
        bytes += REQUEST_HEAD_BYTES + call.request.body.length;
      }
      if (requests.length > 0)
        this.#link.write({ body: 'requests', requests: { requests } }, bytes);
    }
  }

  #receive(frame: Frame): void {
    if (frame.body !== 'responses') return;
    for (const response of frame.responses.responses) this.#settle(response);
  }

  #settle(response: CallResponse): void {
    const call = this.#forget(response.id);
    if (call === undefined) return;
    if (response.failure === null) call.resolve(response.body);
    else call.reject(errorOf(response.failure));
  }

  #timeOut(id: number): void {
    const call = this.#forget(id);
    if (call?.isSent === true) call.reject(this.#error('UNKNOWN_OUTCOME', 'no answer in time'));
    else call?.reject(this.#error('UNREACHABLE', 'no connection in time'));
  }

  #failAll(reason: string, codeWhenUnsent: ErrorCode): void {
    this.#unsent.clear();
    for (const [id, call] of this.#pending) {
      this.#forget(id);
      call.reject(this.#error(call.isSent ? 'UNKNOWN_OUTCOME' : codeWhenUnsent, reason));
    }
  }

  #forget(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (call === undefined) return undefined;
    this.#pending.delete(id);
    this.#pendingBytes -= call.request.body.length;
    call.cancelTimer();
    return call;
  }

  #error(code: ErrorCode, found: string): QuorateError {
    const { peer, address } = this.#target;
    return new QuorateError(code, `Cannot call '${peer}' at ${address} as asked: ${found}`);
  }
}
