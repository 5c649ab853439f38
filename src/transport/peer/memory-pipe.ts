import type { Cancel } from '../../shared/index.ts';
import { CONNECT_TIMEOUT_MS } from './limits.ts';
import { MemoryFlow } from './memory-flow.ts';
import type { Parcel } from './memory-flow.ts';
import type { MemoryNetwork } from './memory-network.ts';
import type { InboundEvents, InboundPipe, OutboundEvents, OutboundPipe } from './pipes.ts';
import type { PipeEnd, RpcName } from './pipes.ts';

interface PipeInit {
  readonly network: MemoryNetwork;
  readonly from: string;
  readonly to: string;
  readonly rpc: RpcName;
}

/** A connection in memory with both its ends; behaves as one over TCP does. */
export class MemoryPipe {
  readonly from: string;
  readonly to: string;
  readonly outbound: OutboundPipe;
  readonly #network: MemoryNetwork;
  readonly #rpc: RpcName;
  readonly #client: OutboundEvents;
  #server: InboundEvents | null = null;
  readonly #forth: MemoryFlow;
  readonly #back: MemoryFlow;
  #cancelDial: Cancel;
  #isClientOver = false;
  #isServerOver = false;

  constructor(init: PipeInit, client: OutboundEvents) {
    const { network, from, to, rpc } = init;
    this.#network = network;
    this.#rpc = rpc;
    this.from = from;
    this.to = to;
    this.#client = client;
    const isLossy = rpc === 'Control' || rpc === 'Append';
    const broke = (): void => this.break('connection lost');
    this.#forth = new MemoryFlow(
      { network, from, to, isLossy, broke },
      { take: (parcel) => this.#serverTakes(parcel) },
    );
    this.#back = new MemoryFlow(
      { network, from: to, to: from, isLossy: false, broke },
      { take: (parcel) => this.#clientTakes(parcel) },
    );
    this.outbound = {
      write: (frame, flushed) => this.#forth.send({ kind: 'frame', frame }, flushed),
      finish: () => this.#forth.send({ kind: 'end' }),
      cancel: () => this.#cancel(),
    };
    network.track(this);
    this.#cancelDial = network.clock.after(network.dialMs(to), () => this.#dial());
  }

  /** Both sides find their connection gone. */
  break(reason: string): void {
    this.#stopFlows();
    this.#endClient({ refused: false, reason });
    this.#closeServer();
  }

  /** A cut was healed: what was held back goes on. */
  retry(): void {
    this.#forth.retry();
    this.#back.retry();
  }

  #dial(): void {
    const { from, to } = this;
    if (this.#network.isCut(from, to) || this.#network.isCut(to, from)) {
      this.#cancelDial = this.#network.clock.after(CONNECT_TIMEOUT_MS, () =>
        this.break('it does not answer'),
      );
      return;
    }
    const accept = this.#network.serverAt(to);
    if (accept === undefined) {
      this.break('connection refused');
      return;
    }
    accept(this.#rpc, this.#inbound());
    this.#client.onConnected();
  }

  #inbound(): InboundPipe {
    return {
      remote: this.from,
      listen: (events) => {
        this.#server = events;
      },
      write: (frame, flushed) => this.#back.send({ kind: 'frame', frame }, flushed),
      pause: () => this.#forth.pause(),
      resume: () => this.#forth.resume(),
      finish: () => this.#back.send({ kind: 'end' }),
      refuse: (reason) => this.#back.send({ kind: 'refusal', reason }),
    };
  }

  #serverTakes(parcel: Parcel): void {
    if (this.#isServerOver) return;
    if (parcel.kind === 'frame') this.#server?.onFrame(parcel.frame);
    else this.#server?.onHalfClose();
  }

  #clientTakes(parcel: Parcel): void {
    if (this.#isClientOver) return;
    if (parcel.kind === 'frame') {
      this.#client.onFrame(parcel.frame);
      return;
    }
    this.#stopFlows();
    const refused = parcel.kind === 'refusal';
    this.#endClient({ refused, reason: refused ? parcel.reason : 'the peer ended it' });
    this.#closeServer();
  }

  /** The server learns of it a delay later; where the way is cut, when it misses the pings. */
  #cancel(): void {
    if (this.#isClientOver) return;
    this.#isClientOver = true;
    this.#stopFlows();
    const { clock } = this.#network;
    const isCut = this.#network.isCut(this.from, this.to);
    const afterMs = isCut ? this.#network.silenceMsMax : this.#network.delayMs();
    clock.after(afterMs, () => this.#closeServer());
  }

  #endClient(end: PipeEnd): void {
    if (this.#isClientOver) return;
    this.#isClientOver = true;
    this.#client.onEnd(end);
  }

  #closeServer(): void {
    this.#network.untrack(this);
    if (this.#isServerOver) return;
    this.#isServerOver = true;
    this.#server?.onClosed();
  }

  #stopFlows(): void {
    this.#cancelDial();
    this.#forth.stop();
    this.#back.stop();
  }
}
