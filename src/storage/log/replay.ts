import type { LogIdentity, RecoveredLog } from '../../raft/index.ts';
import { assert } from '../../shared/index.ts';
import { readEntries, readHead } from './bodies.ts';
import { EntryNotes } from './entry-notes.ts';
import { LogState } from './log-state.ts';
import { damagedAt, decode, readStart, scanRecords } from './scan.ts';
import type { ScannedRecord, SegmentEnd, SegmentStart } from './scan.ts';
import type { Segment } from './segment.ts';

/** Follows the records of all segments, in order. */
export class Replay {
  #start: SegmentStart | null = null;
  #state: LogState | null = null;
  readonly #notes = new EntryNotes();

  /** What the records so far say; null before the first one. */
  get reached(): { readonly start: SegmentStart; readonly state: LogState } | null {
    return this.#start && this.#state && { start: this.#start, state: this.#state };
  }

  /** `onRecord` is told of each record after it counts. */
  async scan(
    segment: Segment,
    previous: Pick<SegmentEnd, 'chain'> | null,
    onRecord: (record: ScannedRecord) => void = () => undefined,
  ): Promise<SegmentEnd> {
    const start = await readStart(segment);
    const state = (this.#state ??= new LogState(start.head));
    this.#start ??= start;
    this.#checkIdentity(segment, start.identity, this.#start.identity);
    if (previous && start.record.header.previousChain !== previous.chain) {
      throw damagedAt(segment, 0, 'the segment does not follow the one before it');
    }
    onRecord(start.record);
    return scanRecords(segment, start.record, (record) => {
      this.#replay(segment, state, record);
      onRecord(record);
    });
  }

  /** Entries may be missing at the front only as far as the base covers them. */
  checkComplete(segments: readonly Segment[]): void {
    const state = this.#mustHaveReached();
    const first = state.records.firstIndex ?? state.lastIndex + 1;
    const [oldest] = segments;
    if (!oldest || first <= state.base.index + 1) return;
    const missing = `entries ${state.base.index + 1} to ${first - 1} are missing`;
    throw damagedAt(oldest, 0, `${missing}: an older segment is gone`);
  }

  result(): { readonly recovered: RecoveredLog; readonly state: LogState } {
    const state = this.#mustHaveReached();
    const { base, hardState, generation, lastIndex, terms } = state;
    const identity = this.#start?.identity;
    assert(identity !== undefined, 'A log has a first segment');
    const recovered = {
      ...{ identity, hardState, base, generation, lastIndex },
      termRuns: terms.runs,
      entryBytes: this.#notes.entryBytesAbove(base.index),
      configurations: this.#notes.configurationsAbove(base.index),
    };
    return { recovered, state };
  }

  #mustHaveReached(): LogState {
    assert(this.#state !== null, 'A segment was scanned');
    return this.#state;
  }

  #replay(segment: Segment, state: LogState, { header, body, location }: ScannedRecord): void {
    decode(segment, location.offset, () => {
      if (header.kind === 'entries') {
        const { hardState, entries } = readEntries(body);
        const [first] = entries;
        if (first && !state.meets(first.index)) {
          throw damagedAt(segment, location.offset, `entry ${first.index} does not meet the log`);
        }
        if (first) {
          state.putEntries(entries, location);
          this.#notes.put(entries);
        }
        state.hardState = hardState;
      } else if (header.kind === 'base') {
        const { base, generation, lastIndex } = readHead(body);
        if (lastIndex === base.index) this.#notes.clear();
        state.putBase(base, generation, lastIndex);
      } else {
        throw damagedAt(segment, location.offset, `a record of kind ${header.kind ?? ''} is here`);
      }
    });
  }

  #checkIdentity(segment: Segment, found: LogIdentity, wanted: LogIdentity): void {
    const same =
      found.clusterId === wanted.clusterId &&
      found.nodeId === wanted.nodeId &&
      found.incarnation === wanted.incarnation;
    if (same) return;
    const text = ({ clusterId, nodeId, incarnation }: LogIdentity): string =>
      `cluster ${clusterId}, node ${nodeId}, incarnation ${incarnation}`;
    const what = `the segment belongs to ${text(found)}, the ones before it to ${text(wanted)}`;
    throw damagedAt(segment, 0, what);
  }
}
