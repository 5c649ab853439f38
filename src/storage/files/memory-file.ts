import type { Random } from '../../shared/index.ts';
import { survival } from './survival.ts';

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;
const ZEROS = new Uint8Array(SECTOR_BYTES);

/** Never changed once made: a write replaces the whole sector. */
interface Sector {
  readonly bytes: Uint8Array;
  readonly version: number;
}

/** What a flush took along when it began. */
export interface FileFlush {
  readonly sectors: readonly (readonly [number, Sector])[];
  readonly size: number;
}

/** A file with what is in the cache and what is on the disk. */
export class MemoryFileNode {
  readonly kind = 'file';
  size = 0;
  #durableSize = 0;
  #version = 0;
  #cached = new Map<number, Sector>();
  #durable = new Map<number, Sector>();
  /** Sectors whose cached content is not surely on the disk. */
  readonly #unsynced = new Set<number>();
  /** Those of them that the next flush takes along: a failed flush forgets them (fsyncgate). */
  readonly #dirty = new Set<number>();

  read(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - position)));
    forEachSector(position, bytes.length, (sector, from, at, count) => {
      const found = this.#cached.get(sector);
      if (found) bytes.set(found.bytes.subarray(from, from + count), at);
    });
    return bytes;
  }

  write(position: number, bytes: Uint8Array): void {
    forEachSector(position, bytes.length, (sector, from, at, count) => {
      if (count === SECTOR_BYTES) {
        this.#put(sector, bytes.slice(at, at + count));
        return;
      }
      const content = (this.#cached.get(sector)?.bytes ?? ZEROS).slice();
      content.set(bytes.subarray(at, at + count), from);
      this.#put(sector, content);
    });
    this.size = Math.max(this.size, position + bytes.length);
  }

  truncate(size: number): void {
    const tail = this.size - size;
    if (tail > 0) this.write(size, new Uint8Array(tail));
    this.size = size;
  }

  /** Takes along the dirty sectors that touch [position, position + length). */
  beginFlush(position: number, length: number): FileFlush {
    const first = Math.floor(position / SECTOR_BYTES);
    const last = Math.floor((position + length - 1) / SECTOR_BYTES);
    const sectors: [number, Sector][] = [];
    for (const sector of this.#dirty) {
      const found = this.#cached.get(sector);
      if (found && sector >= first && sector <= last) sectors.push([sector, found]);
    }
    return { sectors, size: this.size };
  }

  endFlush(flush: FileFlush): void {
    for (const [index, sector] of flush.sectors) {
      const older = this.#durable.get(index);
      if (!older || older.version < sector.version) this.#durable.set(index, sector);
      if (this.#cached.get(index) !== sector) continue;
      this.#unsynced.delete(index);
      this.#dirty.delete(index);
    }
    this.#durableSize = flush.size;
  }

  /** The system reported the error once and now believes these sectors clean. */
  failFlush(flush: FileFlush): void {
    for (const [index, sector] of flush.sectors) {
      if (this.#cached.get(index) === sector) this.#dirty.delete(index);
    }
  }

  /**
   * One bit of what lies on the disk changes behind the back of everybody, in a sector that is not
   * all zero. False: there is none.
   */
  flipBit(random: Random): boolean {
    const sectors = [...this.#durable.keys()];
    const filled = sectors.filter((one) => this.#durable.get(one)?.bytes.some((byte) => byte > 0));
    const index = filled[random.intBelow(Math.max(1, filled.length))];
    const sector = index === undefined ? undefined : this.#durable.get(index);
    if (index === undefined || sector === undefined) return false;
    const bytes = sector.bytes.slice();
    const at = random.intBelow(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.intBelow(8));
    const flipped = { bytes, version: sector.version };
    this.#durable.set(index, flipped);
    if (this.#cached.get(index) === sector) this.#cached.set(index, flipped);
    return true;
  }

  /** How much of it is not surely on the disk. */
  get unsyncedBytes(): number {
    return this.#unsynced.size * SECTOR_BYTES;
  }

  /** Nothing but zeros, as far as anybody can read. */
  get isBlank(): boolean {
    return [...this.#cached.values()].every(({ bytes }) => bytes.every((byte) => byte === 0));
  }

  /** What another file holds lies here from now on, behind the back of everybody. */
  become(other: MemoryFileNode): void {
    this.size = this.#durableSize = other.size;
    this.#version = Math.max(this.#version, other.#version);
    this.#cached = new Map(other.#cached);
    this.#durable = new Map(other.#cached);
    this.#unsynced.clear();
    this.#dirty.clear();
  }

  /** Its end is gone, behind the back of everybody. */
  cut(size: number): void {
    this.size = this.#durableSize = size;
    this.#clearBehindEnd();
  }

  /**
   * A block that is not blank is lost, or is overwritten by another one, behind the back of everybody.
   * False: there is none.
   */
  loseBlock(random: Random, blockBytes: number): boolean {
    const count = Math.floor(this.size / blockBytes);
    const starts = Array.from({ length: count }, (_, i) => i * blockBytes);
    const filled = starts.filter((at) => this.read(at, blockBytes).some((byte) => byte > 0));
    const target = filled[random.intBelow(Math.max(1, filled.length))];
    if (target === undefined) return false;
    const source = random.intBelow(2) === 0 ? null : filled[random.intBelow(filled.length)];
    const lost = new Uint8Array(blockBytes);
    const bytes = source === null || source === undefined ? lost : this.read(source, blockBytes);
    for (let at = 0; at < blockBytes; at += SECTOR_BYTES) {
      const sector = { bytes: bytes.slice(at, at + SECTOR_BYTES), version: this.#version };
      this.#cached.set((target + at) / SECTOR_BYTES, sector);
      this.#durable.set((target + at) / SECTOR_BYTES, sector);
    }
    return source !== target;
  }

  /** Of a sector that is not surely on the disk, a part gets there. False: there is none. */
  tearSector(random: Random): boolean {
    const sectors = [...this.#unsynced];
    const index = sectors[random.intBelow(Math.max(1, sectors.length))];
    const sector = index === undefined ? undefined : this.#cached.get(index);
    if (index === undefined || sector === undefined) return false;
    const bytes = (this.#durable.get(index)?.bytes ?? ZEROS).slice();
    bytes.set(sector.bytes.subarray(0, 1 + random.intBelow(SECTOR_BYTES - 1)));
    this.#durable.set(index, { bytes, version: sector.version });
    this.#unsynced.delete(index);
    this.#dirty.delete(index);
    return true;
  }

  /** Power is lost: each sector that is not surely on the disk is there, or is not. */
  crash(random: Random): void {
    const survives = survival(random, this.#unsynced.size);
    for (const index of this.#unsynced) {
      const sector = this.#cached.get(index);
      if (survives() && sector) this.#durable.set(index, sector);
    }
    this.#unsynced.clear();
    this.#dirty.clear();
    this.size = random.intBelow(2) === 0 ? this.size : this.#durableSize;
    this.#durableSize = this.size;
    this.#cached = new Map(this.#durable);
    // What lay behind the end must not shine through when the file grows again.
    this.#clearBehindEnd();
  }

  #clearBehindEnd(): void {
    for (const [index, sector] of this.#cached) {
      const kept = this.size - index * SECTOR_BYTES;
      if (kept >= SECTOR_BYTES) continue;
      const bytes = sector.bytes.slice();
      bytes.fill(0, Math.max(0, kept));
      const cut = { bytes, version: sector.version };
      this.#cached.set(index, cut);
      this.#durable.set(index, cut);
    }
  }

  #put(sector: number, bytes: Uint8Array): void {
    this.#version++;
    this.#cached.set(sector, { bytes, version: this.#version });
    this.#unsynced.add(sector);
    this.#dirty.add(sector);
  }
}

/** Visits the sectors of a range: sector, where in it, where in the range, how many bytes. */
function forEachSector(
  position: number,
  length: number,
  visit: (sector: number, from: number, at: number, count: number) => void,
): void {
  for (let at = 0; at < length;) {
    const from = (position + at) % SECTOR_BYTES;
    const count = Math.min(SECTOR_BYTES - from, length - at);
    visit(Math.floor((position + at) / SECTOR_BYTES), from, at, count);
    at += count;
  }
}
