import { QuorateError } from '../../shared/index.ts';
import type { MemoryNetwork } from './memory-network.ts';
import { MemoryPipe } from './memory-pipe.ts';
import type { PeerTransport, PeerTransportInit } from './peer-transport.ts';
import type { InboundPipe, OutboundEvents, OutboundPipe, Pipes, RpcName } from './pipes.ts';
import { PipedPeerTransport } from './piped-peer-transport.ts';

/** The peer transport in memory: the same above its pipes as the one over TCP. */
export function createMemoryPeerTransport(
  init: PeerTransportInit,
  network: MemoryNetwork,
): PeerTransport {
  return new PipedPeerTransport(init, new MemoryPipes(init.listen, network));
}

class MemoryPipes implements Pipes {
  readonly #self: string;
  readonly #network: MemoryNetwork;
  #isServing = false;

  constructor(self: string, network: MemoryNetwork) {
    this.#self = self;
    this.#network = network;
  }

  dial(address: string, rpc: RpcName, events: OutboundEvents): OutboundPipe {
    const init = { network: this.#network, from: this.#self, to: address, rpc };
    return new MemoryPipe(init, events).outbound;
  }

  serve(listen: string, accept: (rpc: RpcName, pipe: InboundPipe) => void): Promise<void> {
    this.#isServing = this.#network.listen(listen, accept);
    if (this.#isServing) return Promise.resolve();
    const message = `Cannot listen as --raft ${listen}: address in use`;
    return Promise.reject(new QuorateError('CONFIG_INVALID', message));
  }

  stop(): Promise<void> {
    if (this.#isServing) this.#network.crash(this.#self);
    this.#isServing = false;
    return Promise.resolve();
  }
}
