import { QuorateError } from '../../shared/index.ts';
import type { Cancel, ErrorCode } from '../../shared/index.ts';
import { errorOf } from './failures.ts';
import type { CallRequest, CallResponse, Frame } from './frames.ts';
import { GreetedStream } from './greeted-stream.ts';
import type { DialContext } from './greeted-stream.ts';

interface AddressCallInit {
  readonly address: string;
  readonly request: CallRequest;
  readonly timeoutMs: number;
}

interface Settling {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: QuorateError) => void;
}

/** One call on a stream of its own, see PeerTransport.callAddress. */
export class AddressCall {
  readonly done: Promise<Uint8Array>;
  readonly #init: AddressCallInit;
  readonly #stream: GreetedStream;
  readonly #cancelTimer: Cancel;
  #settling: Settling | null = null;
  #isSent = false;

  constructor(context: DialContext, init: AddressCallInit) {
    this.#init = init;
    this.done = new Promise((resolve, reject) => {
      this.#settling = { resolve, reject };
    });
    this.#cancelTimer = context.clock.after(init.timeoutMs, () =>
      this.#fail('UNREACHABLE', 'no answer in time'),
    );
    const target = { rpc: 'CallAddress', peer: null, address: init.address } as const;
    this.#stream = new GreetedStream(context, target, {
      onOpen: () => this.#send(),
      onFrame: (frame) => this.#receive(frame),
      onFlushed: () => undefined,
      onEnd: (end) => this.#fail('UNREACHABLE', end.reason),
    });
  }

  stop(): void {
    this.#fail('STOPPED', 'this node stops');
  }

  #send(): void {
    const { request } = this.#init;
    this.#isSent = true;
    this.#stream.write({ body: 'requests', requests: { requests: [request] } }, 0);
  }

  #receive(frame: Frame): void {
    const response = frame.body === 'responses' ? frame.responses.responses[0] : undefined;
    if (response !== undefined) this.#settle(response);
  }

  #settle(response: CallResponse): void {
    const settling = this.#end();
    if (response.failure === null) settling?.resolve(response.body);
    else settling?.reject(errorOf(response.failure));
  }

  #fail(codeWhenUnsent: ErrorCode, found: string): void {
    const code = this.#isSent ? 'UNKNOWN_OUTCOME' : codeWhenUnsent;
    const message = `Cannot call ${this.#init.address} as asked: ${found}`;
    this.#end()?.reject(new QuorateError(code, message));
  }

  #end(): Settling | null {
    const settling = this.#settling;
    this.#settling = null;
    this.#cancelTimer();
    this.#stream.close();
    return settling;
  }
}
