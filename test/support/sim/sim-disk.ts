import type { Random } from '../../../src/shared/index.ts';
import type { FileFault, FileOperation, KvOperation } from '../../../src/storage/index.ts';
import { MemoryDisk, MemoryKvDisk } from '../../../src/storage/index.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';
import { between, happens } from './world.ts';

/** Kinds of operations that go all the way to the platter. */
const SLOW_KINDS = new Set<string>(['write', 'sync', 'syncDirectory']);
const SHORT_WRITES_PER_MILLE = 30;

/** Which operation fails next, once. */
export type ArmedFault = 'none' | 'log' | 'snapshot' | 'engine';

/** The disk of one node: files and databases, with latencies and what else goes wrong. */
export class SimDisk {
  readonly files: MemoryDisk;
  readonly kv: MemoryKvDisk;
  /** Of writes and syncs. */
  latencyMsMax = 2;
  armed: ArmedFault = 'none';
  /** Faults that hit so far. */
  faultCount = 0;
  /** Whose operations these are; set before each boot. */
  life: Life | null = null;
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.fork();
    this.files = new MemoryDisk({
      fault: (operation) => this.#fileFault(operation),
      complete: (operation, finish) => this.#complete(operation.kind, finish),
    });
    this.kv = new MemoryKvDisk({
      fault: (operation) => this.#kvFault(operation),
      complete: (operation, finish) => this.#complete(operation.kind, finish),
    });
  }

  /** The process ends; what the system has in its cache stays. */
  kill(): void {
    this.files.kill();
    this.kv.kill(this.#random);
  }

  /** Power fails: what was not synced is there, or not, or in parts. */
  crash(): void {
    this.files.crash(this.#random);
    this.kv.crash(this.#random);
  }

  #complete(kind: string, finish: () => void): void {
    const { life } = this;
    const isSlow = SLOW_KINDS.has(kind);
    if (!isSlow && this.#random.intBelow(4) > 0) {
      queueMicrotask(finish);
      return;
    }
    const delayMs = isSlow ? this.#random.intBelow(this.latencyMsMax + 1) : 1;
    this.#world.after(delayMs, () => life?.pass(finish));
  }

  #fileFault({ kind, path, bytes }: FileOperation): FileFault | null {
    if (kind !== 'write' && kind !== 'sync') return null;
    const isSnapshot = path.includes('/snapshots/');
    if (this.armed === (isSnapshot ? 'snapshot' : 'log')) {
      this.#disarm(`${kind} ${path}`);
      return { kind: 'error', code: 'EIO', bytes: this.#random.intBelow(bytes + 1) };
    }
    if (kind !== 'write' || !happens(this.#random, SHORT_WRITES_PER_MILLE)) return null;
    return { kind: 'short', bytes: between(this.#random, 1, bytes) };
  }

  #kvFault({ kind, directory }: KvOperation): 'fails' | 'failsLate' | null {
    if (this.armed !== 'engine' || (kind !== 'write' && kind !== 'sync')) return null;
    this.#disarm(`${kind} ${directory}`);
    return this.#random.intBelow(2) === 0 ? 'fails' : 'failsLate';
  }

  #disarm(what: string): void {
    this.armed = 'none';
    this.faultCount++;
    this.#world.note(`disk fault: ${what}`);
  }
}
