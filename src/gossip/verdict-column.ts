import { entryBytes } from '../wire/index.ts';
import type { VerdictEntry, VerdictSegment } from '../wire/index.ts';
import { limits } from './limits.ts';

interface Range {
  readonly from: number;
  readonly to: number;
}

/** A key whose published verdict changed; `before` is undefined for a new key. */
export interface VerdictChange {
  readonly entry: VerdictEntry;
  readonly before: VerdictEntry | undefined;
}

/** A cut of a column that fits a byte budget. */
export interface ColumnCut {
  readonly fromExclusive: number;
  readonly toInclusive: number;
  readonly reset: boolean;
  readonly entries: readonly VerdictEntry[];
  /** False: entries remain above toInclusive. */
  readonly isLast: boolean;
}

/**
 * All verdicts of one owner. The owner numbers each change with its next version, so the newest
 * version of a key wins without clocks. Invariant: every change up to `contiguous` is known.
 */
export class VerdictColumn {
  #contiguous = 0;
  #floor = 0;
  /** By key, in ascending order of version while isSorted. */
  #entries = new Map<number, VerdictEntry>();
  #isSorted = true;
  #newestVersion = 0;
  #tombstones = 0;
  /** Known ranges above `contiguous`, with gaps between. */
  #ranges: Range[] = [];

  get contiguous(): number {
    return this.#contiguous;
  }

  /** Tombstones up to this version may be forgotten here. */
  get floor(): number {
    return this.#floor;
  }

  get(keyId: number): VerdictEntry | undefined {
    return this.#entries.get(keyId);
  }

  values(): IterableIterator<VerdictEntry> {
    return this.#entries.values();
  }

  /** The owner's own next change. Undefined when there is no room for a further key. */
  append(entry: Omit<VerdictEntry, 'version'>): VerdictChange | undefined {
    const version = this.#contiguous + 1;
    const change = this.#put({ ...entry, version });
    if (change) this.#contiguous = version;
    this.#forgetTombstones();
    return change;
  }

  /** Takes in what is newer; returns what changed. */
  apply(segment: VerdictSegment): VerdictChange[] {
    const isReset = segment.reset && this.#needsReset(segment.floor);
    const swept = isReset ? this.#sweep(segment) : [];
    const changes: VerdictChange[] = [];
    for (const entry of segment.entries) {
      if (!isReset && this.#isForgotten(entry)) continue;
      const change = this.#put(entry);
      if (change) changes.push(change);
    }
    if (isReset) this.#restartAt(segment);
    else this.#advance({ from: segment.fromExclusive, to: segment.toInclusive });
    this.#forgetTombstones();
    return [...swept, ...changes];
  }

  /** What a reader lacks who holds all up to `contiguous`, having started again at `floor`. */
  cut(reader: { contiguous: number; floor: number }, bytesMax: number): ColumnCut | undefined {
    const reset = reader.contiguous < this.#floor && reader.floor < this.#floor;
    const from = reset ? 0 : reader.contiguous;
    if (from >= this.#contiguous) return undefined;
    return { ...this.#cutAfter(from, bytesMax), reset };
  }

  #cutAfter(from: number, bytesMax: number): Omit<ColumnCut, 'reset'> {
    this.#sort();
    const entries: VerdictEntry[] = [];
    let last = from;
    let bytes = 0;
    for (const entry of this.#entries.values()) {
      if (entry.version <= from) continue;
      if (entry.version > this.#contiguous) break;
      bytes += entryBytes(entry, last);
      if (bytes > bytesMax && entries.length > 0)
        return { fromExclusive: from, toInclusive: last, entries, isLast: false };
      entries.push(entry);
      last = entry.version;
    }
    return { fromExclusive: from, toInclusive: this.#contiguous, entries, isLast: true };
  }

  #put(entry: VerdictEntry): VerdictChange | undefined {
    const before = this.#entries.get(entry.keyId);
    if (before && before.version >= entry.version) return undefined;
    if (!before && this.#entries.size >= limits.verdictsPerOwnerMax) return undefined;
    this.#tombstones += Number(entry.verdict === 'gone') - Number(before?.verdict === 'gone');
    this.#entries.delete(entry.keyId);
    this.#entries.set(entry.keyId, entry);
    this.#isSorted &&= entry.version > this.#newestVersion;
    this.#newestVersion = Math.max(this.#newestVersion, entry.version);
    return { entry, before };
  }

  /** Known once and not held any more: a late packet does not bring it back. */
  #isForgotten({ keyId, version }: VerdictEntry): boolean {
    return version <= this.#contiguous && !this.#entries.has(keyId);
  }

  #needsReset(floor: number): boolean {
    return this.#contiguous < floor && this.#floor < floor;
  }

  /** A reset segment lists all live entries up to its end: what is not listed is gone. */
  #sweep(segment: VerdictSegment): VerdictChange[] {
    const listed = new Set(segment.entries.map((entry) => entry.keyId));
    const swept: VerdictChange[] = [];
    for (const before of this.#entries.values()) {
      if (before.version > segment.toInclusive || listed.has(before.keyId)) continue;
      this.#remove(before);
      swept.push({ entry: { ...before, verdict: 'gone', samples: [] }, before });
    }
    return swept;
  }

  #restartAt(segment: VerdictSegment): void {
    this.#contiguous = segment.toInclusive;
    this.#floor = segment.floor;
    this.#ranges = [];
  }

  #advance(range: Range): void {
    this.#ranges.push(range);
    this.#ranges.sort((a, b) => a.from - b.from);
    const rest: Range[] = [];
    for (const one of this.#ranges)
      if (one.from <= this.#contiguous) this.#contiguous = Math.max(this.#contiguous, one.to);
      else rest.push(one);
    this.#ranges = rest.slice(0, limits.rangesPerOwnerMax);
  }

  #forgetTombstones(): void {
    if (this.#tombstones <= limits.tombstonesPerOwnerMax) return;
    this.#sort();
    for (const entry of this.#entries.values()) {
      if (this.#tombstones <= limits.tombstonesPerOwnerMax / 2) return;
      if (entry.verdict !== 'gone' || entry.version > this.#contiguous) continue;
      this.#remove(entry);
      this.#floor = Math.max(this.#floor, entry.version);
    }
  }

  #remove(entry: VerdictEntry): void {
    this.#entries.delete(entry.keyId);
    if (entry.verdict === 'gone') this.#tombstones--;
  }

  #sort(): void {
    if (this.#isSorted) return;
    const sorted = [...this.#entries].sort(([, a], [, b]) => a.version - b.version);
    this.#entries = new Map(sorted);
    this.#isSorted = true;
  }
}
