import type { Clock, Random } from '../../shared/index.ts';
import type { Frame } from './frames.ts';
import { CONNECT_TIMEOUT_MS, KEEPALIVE_INTERVAL_MS, KEEPALIVE_TIMEOUT_MS } from './limits.ts';
import type { InboundPipe, RpcName } from './pipes.ts';
import { peerService } from './rpc.ts';

/** What goes wrong between nodes, drawn anew for each frame. */
export interface MemoryNetworkFaults {
  /** Frames of Raft messages that vanish, of 1000. Other frames never do: TCP repeats them. */
  readonly lostPerMille: number;
  /** Frames that break their connection instead of arriving, of 1000. */
  readonly brokenPerMille: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

export const noFaults: MemoryNetworkFaults = {
  lostPerMille: 0,
  brokenPerMille: 0,
  delayMsMin: 0,
  delayMsMax: 0,
};

/** What becomes of a frame. */
export type Fate = 'arrives' | 'vanishes' | 'breaks';

/** A connection as the network sees it. */
interface Connection {
  readonly from: string;
  readonly to: string;
  retry(): void;
  break(reason: string): void;
}

type Accept = (rpc: RpcName, pipe: InboundPipe) => void;

/**
 * The network between memory transports: a simulator sets what goes wrong, its clock and its
 * random numbers decide when and whom it hits. Nodes are known by their listen addresses.
 */
export class MemoryNetwork {
  readonly clock: Clock;
  readonly #random: Random;
  #faults: MemoryNetworkFaults;
  readonly #servers = new Map<string, Accept>();
  /** `from to`: packets in this direction go nowhere. */
  readonly #cuts = new Set<string>();
  readonly #pipes = new Set<Connection>();
  /** Frames that vanished, and connections that broke, so far. */
  lostCount = 0;
  brokenCount = 0;
  /** Connections that take up to a second to stand, of 1000: their first packets are lost. */
  slowDialPerMille = 0;
  /** So many of them so far; those to nobody do not count. */
  slowDialCount = 0;
  /** How the node at this address writes its frames: as this release does, unless it is another. */
  encode: (frame: Frame, from: string) => Buffer = (frame) =>
    peerService.Control.requestSerialize(frame);

  constructor(clock: Clock, random: Random, faults: MemoryNetworkFaults = noFaults) {
    this.clock = clock;
    this.#random = random;
    this.#faults = faults;
  }

  setFaults(faults: MemoryNetworkFaults): void {
    this.#faults = faults;
  }

  /** Nothing gets from one address to the other any more; nobody is told. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
  }

  heal(from: string, to: string): void {
    this.#cuts.delete(`${from} ${to}`);
    for (const pipe of this.#pipes) pipe.retry();
  }

  healAll(): void {
    this.#cuts.clear();
    for (const pipe of this.#pipes) pipe.retry();
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from} ${to}`);
  }

  /** The process at `address` is gone: nothing listens there, its connections are reset. */
  crash(address: string): void {
    this.#servers.delete(address);
    for (const pipe of this.#pipes) {
      if (pipe.from === address || pipe.to === address) pipe.break('connection reset');
    }
  }

  /** For transports. False: something listens there already. */
  listen(address: string, accept: Accept): boolean {
    if (this.#servers.has(address)) return false;
    this.#servers.set(address, accept);
    return true;
  }

  serverAt(address: string): Accept | undefined {
    return this.#servers.get(address);
  }

  track(pipe: Connection): void {
    this.#pipes.add(pipe);
  }

  untrack(pipe: Connection): void {
    this.#pipes.delete(pipe);
  }

  delayMs(): number {
    const { delayMsMin, delayMsMax } = this.#faults;
    return delayMsMin + this.#random.intBelow(delayMsMax - delayMsMin + 1);
  }

  /** How long a connection to `to` takes to stand, or to find that nobody listens. */
  dialMs(to: string): number {
    const delayMs = this.delayMs();
    if (this.slowDialPerMille === 0 || this.#random.intBelow(1000) >= this.slowDialPerMille) {
      return delayMs;
    }
    if (this.#servers.has(to)) this.slowDialCount++;
    return delayMs + this.#random.intBelow(CONNECT_TIMEOUT_MS);
  }

  fateOf(isLossy: boolean): Fate {
    const { lostPerMille, brokenPerMille } = this.#faults;
    if (lostPerMille === 0 && brokenPerMille === 0) return 'arrives';
    const draw = this.#random.intBelow(1000);
    if (draw < brokenPerMille) {
      this.brokenCount++;
      return 'breaks';
    }
    if (!isLossy || draw >= brokenPerMille + lostPerMille) return 'arrives';
    this.lostCount++;
    return 'vanishes';
  }

  /** After this long a side that hears nothing takes its connection for dead. */
  get silenceMsMax(): number {
    return KEEPALIVE_INTERVAL_MS + KEEPALIVE_TIMEOUT_MS;
  }
}
