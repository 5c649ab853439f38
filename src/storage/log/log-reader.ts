import type { Entry } from '../../raft/index.ts';
import { asIndex, assert, QuorateError } from '../../shared/index.ts';
import type { LogIndex, Term } from '../../shared/index.ts';
import { readEntries } from './bodies.ts';
import type { LogState } from './log-state.ts';
import { bodyIsWhole, copyBody, readHeader } from './record.ts';
import type { RecordLocation } from './record-index.ts';
import { damagedAt, decode } from './scan.ts';
import type { Segment } from './segment.ts';

/** Small records that lie together are read together. */
const READ_AHEAD_BYTES = 256 * 1024;

/** A segment and the offset up to which its records are durable. */
export interface ReadableSegment {
  readonly segment: Segment;
  readonly end: number;
}

interface ReadRange {
  readonly from: LogIndex;
  readonly to: LogIndex;
  readonly bytesMax: number;
}

/** Reads entries back. Keeps the last stretch that it read, as followers catch up in order. */
export class LogReader {
  readonly #state: LogState;
  readonly #find: (sequence: number) => ReadableSegment | null;
  #stretch: {
    readonly sequence: number;
    readonly offset: number;
    readonly bytes: Uint8Array;
  } | null = null;

  constructor(state: LogState, find: (sequence: number) => ReadableSegment | null) {
    this.#state = state;
    this.#find = find;
  }

  /**
   * At least one entry if there is one. Ends early where the log is cut meanwhile, so that entries
   * from before and after a cut are never mixed.
   */
  async read({ from, to, bytesMax }: ReadRange): Promise<readonly Entry[]> {
    const { base, cuts } = this.#state;
    if (from <= base.index) {
      const found = `entries up to ${base.index} were cut away`;
      throw new QuorateError('NOT_FOUND', `Cannot read entry ${from} from the log: ${found}`);
    }
    const entries: Entry[] = [];
    let bytesLeft = bytesMax;
    let next = from;
    while (next <= to && next <= this.#state.lastIndex && !this.#isGone(next, cuts)) {
      const { location, next: behind } = this.#state.records.at(this.#state.records.find(next));
      // Before the read, as the log may be cut meanwhile; what was read is good all the same.
      const term = this.#state.termAt(next);
      const record = await this.#readRecord(location);
      this.#checkOwn(record, { index: next, term }, location);
      for (const entry of record) {
        if (entry.index < next || entry.index > to || entry.index >= behind) continue;
        bytesLeft -= entry.payload.length;
        if (bytesLeft < 0 && entries.length > 0) return entries;
        entries.push(entry);
        next = asIndex(entry.index + 1);
      }
    }
    return entries;
  }

  /** Cut away, or the log was cut somewhere since. */
  #isGone(index: LogIndex, cuts: number): boolean {
    return index <= this.#state.base.index || this.#state.cuts !== cuts;
  }

  /** Another log's record may be whole as well, and lie at the same place. */
  #checkOwn(
    record: readonly Entry[],
    { index, term }: { readonly index: LogIndex; readonly term: Term | null },
    { sequence, offset }: RecordLocation,
  ): void {
    if (record.some((entry) => entry.index === index && entry.term === term)) return;
    const segment = this.#find(sequence)?.segment;
    if (segment) throw damagedAt(segment, offset, 'the record holds other entries than it did');
    throw new QuorateError('NOT_FOUND', `Cannot read entry ${index} from the log: it was cut away`);
  }

  async #readRecord(location: RecordLocation): Promise<readonly Entry[]> {
    const { sequence, offset } = location;
    const found = this.#find(sequence);
    if (!found) {
      throw new QuorateError(
        'NOT_FOUND',
        `Cannot read segment ${sequence} as log: it was cut away`,
      );
    }
    const stored = await this.#bytesAt(found, location);
    const header = readHeader(stored);
    const isOurs = header?.sequence === sequence && header.offset === offset;
    if (!isOurs || header.kind !== 'entries' || !bodyIsWhole(header, stored)) {
      throw damagedAt(found.segment, offset, 'a record that was whole before is no longer');
    }
    // Entries that are views would keep a whole stretch in memory.
    const body = copyBody(header, stored);
    return decode(found.segment, offset, () => readEntries(body)).entries;
  }

  async #bytesAt(
    { segment, end }: ReadableSegment,
    { sequence, offset, bytes }: RecordLocation,
  ): Promise<Uint8Array> {
    let stretch = this.#stretch;
    const isInside =
      stretch?.sequence === sequence &&
      offset >= stretch.offset &&
      offset + bytes <= stretch.offset + stretch.bytes.length;
    if (!stretch || !isInside) {
      assert(offset + bytes <= end, `The record at ${offset} of segment ${sequence} is durable`);
      const length = Math.min(end - offset, Math.max(bytes, READ_AHEAD_BYTES));
      stretch = { sequence, offset, bytes: await segment.read(offset, length) };
      this.#stretch = stretch;
    }
    return stretch.bytes.subarray(offset - stretch.offset, offset - stretch.offset + bytes);
  }
}
