import type { Cancel, Clock, Random } from '../../shared/index.ts';
import { cannotListen, unreachable } from './failures.ts';
import type { GossipSockets, GossipSocketsInit } from './gossip-sockets.ts';
import { socketLimits } from './gossip-sockets.ts';

/** What goes wrong between nodes, drawn anew for each packet. */
export interface GossipFaults {
  /** Datagrams that vanish, of 1000. Exchanges do not: TCP repeats. */
  readonly lostPerMille: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

/**
 * The network between memory sockets: a simulator sets what goes wrong, its clock and its random
 * numbers decide when and whom it hits. Nodes are known by their listen addresses.
 */
export class MemoryGossipNetwork {
  readonly clock: Clock;
  readonly #random: Random;
  #faults: GossipFaults;
  readonly #nodes = new Map<string, MemoryGossipSockets>();
  /** `from to`: nothing gets through in this direction. */
  readonly #cuts = new Set<string>();

  constructor(
    clock: Clock,
    random: Random,
    faults: GossipFaults = { lostPerMille: 0, delayMsMin: 0, delayMsMax: 0 },
  ) {
    this.clock = clock;
    this.#random = random;
    this.#faults = faults;
  }

  setFaults(faults: GossipFaults): void {
    this.#faults = faults;
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
  }

  heal(from: string, to: string): void {
    this.#cuts.delete(`${from} ${to}`);
  }

  healAll(): void {
    this.#cuts.clear();
  }

  /** The process at `address` is gone, whatever it was doing. */
  crash(address: string): void {
    this.#nodes.get(address)?.crash();
    this.#nodes.delete(address);
  }

  /** For sockets. False: something listens there already. */
  listen(address: string, sockets: MemoryGossipSockets): boolean {
    if (this.#nodes.has(address)) return false;
    this.#nodes.set(address, sockets);
    return true;
  }

  unlisten(address: string, sockets: MemoryGossipSockets): void {
    if (this.#nodes.get(address) === sockets) this.#nodes.delete(address);
  }

  nodeAt(address: string): MemoryGossipSockets | undefined {
    return this.#nodes.get(address);
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from} ${to}`);
  }

  /** Calls back when a packet from one to the other arrives; never when it is cut off or lost. */
  carry(from: string, to: string, arrive: () => void): void {
    const { delayMsMax, delayMsMin } = this.#faults;
    const delayMs = delayMsMin + this.#random.intBelow(delayMsMax - delayMsMin + 1);
    this.clock.after(delayMs, () => {
      if (!this.isCut(from, to)) arrive();
    });
  }

  isLost(): boolean {
    const { lostPerMille } = this.#faults;
    return lostPerMille > 0 && this.#random.intBelow(1_000) < lostPerMille;
  }
}

/** Memory twin of gossipSockets: the same promises, packets by way of `network`. */
export const memoryGossipSockets = (
  network: MemoryGossipNetwork,
  init: GossipSocketsInit,
): GossipSockets => new MemoryGossipSockets(network, init);

class MemoryGossipSockets implements GossipSockets {
  readonly #network: MemoryGossipNetwork;
  readonly #init: GossipSocketsInit;
  readonly #running = new Set<(error: Error) => void>();
  #isOpen = false;

  constructor(network: MemoryGossipNetwork, init: GossipSocketsInit) {
    this.#network = network;
    this.#init = init;
  }

  start(): Promise<void> {
    const { listen } = this.#init;
    this.#isOpen = this.#network.listen(listen, this);
    const taken = Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
    return this.#isOpen ? Promise.resolve() : Promise.reject(cannotListen(listen, taken));
  }

  stop(): Promise<void> {
    this.#network.unlisten(this.#init.listen, this);
    this.crash();
    return Promise.resolve();
  }

  crash(): void {
    this.#isOpen = false;
    for (const abort of [...this.#running]) abort(unreachable('anybody', 'this node stops'));
  }

  address(): string {
    return this.#init.listen;
  }

  send(to: string, bytes: Uint8Array): void {
    if (!this.#isOpen || this.#network.isLost()) return;
    const from = this.address();
    const copy = bytes.slice();
    this.#network.carry(from, to, () => this.#network.nodeAt(to)?.receive(from, copy));
  }

  exchange(to: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen || this.#running.size >= socketLimits.outgoingMax) {
        reject(unreachable(to, 'this node takes no more exchanges'));
        return;
      }
      const finish = (): void => {
        cancelTimer();
        this.#running.delete(abort);
      };
      const abort = (error: Error): void => {
        finish();
        reject(error);
      };
      const late = (): void => abort(unreachable(to, `silent for ${timeoutMs} ms`));
      const cancelTimer: Cancel = this.#network.clock.after(timeoutMs, late);
      this.#running.add(abort);
      this.#ask(to, bytes.slice(), (response) => {
        if (!this.#running.has(abort)) return;
        if (response === null) abort(unreachable(to, 'it closed without an answer'));
        else {
          finish();
          resolve(response);
        }
      });
    });
  }

  receive(from: string, bytes: Uint8Array): void {
    if (this.#isOpen) this.#init.onDatagram(from, bytes);
  }

  serve(from: string, bytes: Uint8Array): Uint8Array | null {
    const isTooLong = bytes.length > socketLimits.exchangeBytesMax;
    return this.#isOpen && !isTooLong ? this.#init.onExchange(from, bytes) : null;
  }

  #ask(to: string, bytes: Uint8Array, done: (response: Uint8Array | null) => void): void {
    const from = this.address();
    this.#network.carry(from, to, () => {
      const response = this.#network.nodeAt(to)?.serve(from, bytes)?.slice() ?? null;
      this.#network.carry(to, from, () => done(response));
    });
  }
}
