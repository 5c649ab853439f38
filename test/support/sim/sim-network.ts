import { MemoryNetwork } from '../../../src/transport/index.ts';
import type { MemoryNetworkFaults } from '../../../src/transport/index.ts';
import { encodeAsLaterRelease } from './later-release.ts';
import type { World } from './world.ts';

/** The network of a cluster: partitions, and machines that are gone without a word. */
export class SimNetwork {
  readonly memory: MemoryNetwork;
  readonly #addresses: readonly string[];
  readonly #usual: MemoryNetworkFaults;
  /** `from to` that a partition keeps apart. */
  #partition = new Set<string>();
  readonly #silent = new Set<string>();
  /** Where nodes of the next release run. */
  readonly #later = new Set<string>();

  constructor(world: World, addresses: readonly string[], usual: MemoryNetworkFaults) {
    this.memory = new MemoryNetwork(world.clock, world.fork(), usual);
    const encode = this.memory.encode;
    this.memory.encode = (frame, from) =>
      this.#later.has(from) ? encodeAsLaterRelease(frame) : encode(frame, from);
    this.#addresses = addresses;
    this.#usual = usual;
  }

  /** Nothing passes where `isCut` says so; what was cut before passes again. Returns what is cut. */
  partition(isCut: (from: string, to: string) => boolean): readonly string[] {
    const cut = this.#pairs()
      .filter(([from, to]) => isCut(from, to))
      .map(([from, to]) => `${from} ${to}`);
    this.#partition = new Set(cut);
    this.#apply();
    return cut;
  }

  setFaults(faults: MemoryNetworkFaults | null): void {
    this.memory.setFaults(faults ?? this.#usual);
  }

  /** Its connections are reset at once, as when a process ends; or nobody is told (power cut). */
  lose(address: string, isSilent: boolean): void {
    if (!isSilent) this.memory.crash(address);
    else {
      this.#silent.add(address);
      this.#apply();
    }
  }

  /** What runs there from now on is of the next release, or of this one. */
  setRelease(address: string, isLater: boolean): void {
    if (isLater) this.#later.add(address);
    else this.#later.delete(address);
  }

  /** The machine is back: it knows nothing of its old connections. */
  revive(address: string): void {
    this.memory.crash(address);
    this.#silent.delete(address);
    this.#apply();
  }

  #apply(): void {
    for (const [from, to] of this.#pairs()) {
      const isCut =
        this.#partition.has(`${from} ${to}`) || this.#silent.has(from) || this.#silent.has(to);
      if (isCut === this.memory.isCut(from, to)) continue;
      if (isCut) this.memory.cut(from, to);
      else this.memory.heal(from, to);
    }
  }

  #pairs(): readonly (readonly [string, string])[] {
    return this.#addresses.flatMap((from) =>
      this.#addresses.filter((to) => to !== from).map((to) => [from, to] as const),
    );
  }
}
