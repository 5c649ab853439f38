import type { Random } from '../../../src/shared/index.ts';
import type { FileFault, FileOperation, KvOperation } from '../../../src/storage/index.ts';
import { MemoryDisk, MemoryKvDisk } from '../../../src/storage/index.ts';
import { BLOCK_BYTES } from '../../../src/storage/log/settings.ts';
import type { Life } from './life.ts';
import type { Fault } from './profile.ts';
import type { World } from './world.ts';
import { anyOf, between, happens } from './world.ts';

/** Kinds of operations that go all the way to the platter. */
const SLOW_KINDS = new Set<string>(['write', 'sync', 'syncDirectory']);
const SHORT_WRITES_PER_MILLE = 30;

/** Which operation fails next, once. */
export type ArmedError = 'none' | 'log' | 'logRead' | 'snapshot' | 'engine';

interface Ambush {
  steps: number;
  readonly onCrash: () => void;
}

/** The disk of one node: files and databases, with latencies and what else goes wrong. */
export class SimDisk {
  readonly files: MemoryDisk;
  readonly kv: MemoryKvDisk;
  /** Of writes and syncs. */
  latencyMsMax = 2;
  armed: ArmedError = 'none';
  /** No room: what needs more of it fails, again and again. */
  isFull = false;
  /** Errors that the system reported so far. */
  errorCount = 0;
  /** Whose operations these are; set before each boot. */
  life: Life | null = null;
  readonly #world: World;
  readonly #random: Random;
  readonly #onFault: (fault: Fault) => void;
  #ambush: Ambush | null = null;
  /** Wrong bytes in the log, which each start reads from end to end; and elsewhere. */
  #logDamages = 0;
  /** So many of them did not matter, or are gone. */
  #harmlessDamages = 0;
  #isRestDamaged = false;
  /** What would have completed while the disk hangs; null while it does not. */
  #hung: (() => void)[] | null = null;

  constructor(world: World, onFault: (fault: Fault) => void) {
    this.#world = world;
    this.#random = world.fork();
    this.#onFault = onFault;
    this.files = new MemoryDisk({
      freeBytes: () => (this.isFull ? 0 : Number.MAX_SAFE_INTEGER),
      fault: (operation) => this.#fileFault(operation),
      complete: (operation, finish) => this.#complete(operation.kind, finish),
    });
    this.kv = new MemoryKvDisk({
      fault: (operation) => this.#kvFault(operation),
      complete: (operation, finish) => this.#complete(operation.kind, finish),
    });
  }

  /** Something on it is not what was written: it may have to be given up. */
  get isDamaged(): boolean {
    return this.#logDamages > this.#harmlessDamages || this.#isRestDamaged;
  }

  /** The process ends; what the system has in its cache stays. */
  kill(): void {
    this.#ambush = null;
    if (this.#hung !== null) this.#hung = [];
    this.files.kill();
    this.kv.kill(this.#random);
  }

  /** Power fails: what was not synced is there, or not, or in parts. */
  crash(): void {
    this.kill();
    this.files.crash(this.#random);
    this.kv.crash(this.#random);
  }

  /** Dies within the operation that comes after so many others; `onCrash` sees to the process. */
  crashAtStep(steps: number, onCrash: () => void): void {
    this.#ambush = { steps, onCrash };
  }

  /** Nothing that was planned happens any more. */
  disarm(): void {
    this.armed = 'none';
    this.isFull = false;
    this.#ambush = null;
    this.latencyMsMax = 2;
    this.release();
  }

  hang(): void {
    this.#hung ??= [];
  }

  /** What hung completes, in the order in which it began. */
  release(): void {
    const hung = this.#hung ?? [];
    this.#hung = null;
    for (const finish of hung) this.#world.after(0, finish);
  }

  /** A bit of what lies on it flips. Returns where; null when there is nothing yet. */
  flipBit(): string | null {
    const part = anyOf(this.#random, ['/log/', '/log/', '/log/', '/snapshots/', 'engine'] as const);
    const path =
      part === 'engine'
        ? this.kv.flipBit(this.#random)
        : this.files.flipBit(this.#random, (one) => one.includes(part ?? ''));
    if (path === null) return null;
    if (part === '/log/') this.#logDamages++;
    else this.#isRestDamaged = true;
    return path;
  }

  /** A file of the log is gone. Returns its path; null when there is none. */
  loseFile(): string | null {
    const path = this.files.loseFile(this.#random, (one) => one.includes('/log/'));
    if (path !== null) this.#logDamages++;
    return path;
  }

  /** A file of the log is not its own, or not all of it, or has a block that is not what was written. Returns its path; null when none is hit. */
  misplaceFile(other: SimDisk): string | null {
    const isLog = (path: string): boolean => path.includes('/log/');
    const ways = [
      () => this.files.cutFile(this.#random, isLog),
      () => this.files.swapFiles(this.#random, isLog),
      () => this.files.takeFile(other.files, this.#random, isLog),
      () => this.files.loseBlock(this.#random, BLOCK_BYTES, isLog),
      () => this.files.loseBlock(this.#random, BLOCK_BYTES, isLog),
    ];
    const path = anyOf(this.#random, ways)?.() ?? null;
    if (path !== null) this.#logDamages++;
    return path;
  }

  /** Bytes that are being written to the log. */
  get logUnsyncedBytes(): number {
    return this.files.unsyncedBytes((path) => path.includes('/log/'));
  }

  /** Power fails, and a sector of the log gets to the disk in part. Returns whether one did. */
  crashTorn(): boolean {
    const hasTorn = this.files.tearSector(this.#random, (path) => path.includes('/log/')) !== null;
    if (hasTorn) this.#logDamages++;
    this.crash();
    return hasTorn;
  }

  /** How often the log was damaged so far. */
  get logDamages(): number {
    return this.#logDamages;
  }

  /** All of the log was read, after so many damages, and found good: they do not matter, or are gone. */
  logIsGood(afterDamages: number): void {
    this.#harmlessDamages = afterDamages;
  }

  #complete(kind: string, finish: () => void): void {
    const { life } = this;
    const isSlow = SLOW_KINDS.has(kind);
    if (!isSlow && this.#hung === null && this.#random.intBelow(4) > 0) {
      queueMicrotask(finish);
      return;
    }
    const delayMs = isSlow ? this.#random.intBelow(this.latencyMsMax + 1) : 1;
    const passOn = (): void => life?.pass(finish);
    if (this.#hung !== null) this.#hung.push(passOn);
    else
      this.#world.after(delayMs, () => (this.#hung === null ? passOn() : this.#hung.push(passOn)));
  }

  #fileFault({ kind, path, bytes }: FileOperation): FileFault | null {
    const dying = this.#step(`${kind} ${path}`);
    if (dying !== null) return this.#die(dying, bytes);
    const isWrite = kind === 'write' || kind === 'sync';
    if (this.isFull && kind === 'write' && isNew(path)) {
      this.#report('ENOSPC', `${kind} ${path}`);
      return { kind: 'error', code: 'ENOSPC', bytes: this.#random.intBelow(bytes + 1) };
    }
    if (this.armed === partOf(path, kind)) {
      const code = anyOf(this.#random, isWrite ? (['EIO', 'ENOSPC'] as const) : (['EIO'] as const));
      this.#report(code ?? 'EIO', `${kind} ${path}`);
      return { kind: 'error', code: code ?? 'EIO', bytes: this.#random.intBelow(bytes + 1) };
    }
    if (kind !== 'write' || !happens(this.#random, SHORT_WRITES_PER_MILLE)) return null;
    this.#onFault('shortWrite');
    return { kind: 'short', bytes: between(this.#random, 1, bytes) };
  }

  #kvFault({ kind, directory }: KvOperation): 'fails' | 'failsLate' | null {
    const dying = this.#step(`${kind} ${directory}`);
    if (dying !== null) {
      this.#die(dying, 0);
      return null;
    }
    const isArmed = this.armed === 'engine' || (this.isFull && happens(this.#random, 100));
    if (!isArmed || (kind !== 'write' && kind !== 'sync')) return null;
    this.#report('engineError', `${kind} ${directory}`);
    return this.#random.intBelow(2) === 0 ? 'fails' : 'failsLate';
  }

  /** Counts the operations towards an ambush; returns it when this is the one. */
  #step(what: string): Ambush | null {
    const ambush = this.#ambush;
    if (ambush === null || --ambush.steps > 0) return null;
    this.#ambush = null;
    this.#world.note(`disk: dies within ${what}`);
    return ambush;
  }

  /** Before the operation, in the middle of it, or after it; nobody hears of it. */
  #die({ onCrash }: Ambush, bytes: number): FileFault {
    this.files.kill();
    this.kv.kill(this.#random);
    onCrash();
    const kind = this.#random.intBelow(3);
    if (kind === 0) return { kind: 'hang' };
    const through = kind === 1 ? 0 : this.#random.intBelow(bytes + 1);
    return { kind: 'error', code: 'EIO', bytes: through };
  }

  #report(fault: Fault, what: string): void {
    this.armed = 'none';
    this.errorCount++;
    this.#onFault(fault);
    this.#world.note(`disk: ${fault} from ${what}`);
  }
}

/** Segments of the log have their room from the start. */
const isNew = (path: string): boolean => path.includes('/snapshots/') || path.endsWith('.new');

function partOf(path: string, kind: FileOperation['kind']): ArmedError | null {
  const isSnapshot = path.includes('/snapshots/');
  if (kind === 'read') return isSnapshot ? null : 'logRead';
  if (kind !== 'write' && kind !== 'sync') return null;
  return isSnapshot ? 'snapshot' : 'log';
}
