import { join } from 'node:path';

import type { Entry, LogBase, RecoveredLog } from '../../raft/index.ts';
import { firstOf } from '../../shared/index.ts';
import type { Files } from '../files/files.ts';
import { readEntries, readHead } from './bodies.ts';
import { asStorageWork, damaged, LogDamage } from './damage.ts';
import { checkUnused } from './recovery.ts';
import { Replay } from './replay.ts';
import { readStart, scanRecords } from './scan.ts';
import type { ScannedRecord, SegmentEnd } from './scan.ts';
import { Segment, segmentName, sequenceOf } from './segment.ts';
import { SegmentTally } from './segment-summary.ts';
import type { SegmentSummary } from './segment-summary.ts';

/** Something in a log that must not be there. */
export interface LogFinding {
  readonly path: string;
  /** Byte offset in the file. */
  readonly offset: number;
  readonly what: string;
}

/** What a log holds, read without changing anything. */
export interface LogInspection {
  readonly segments: readonly SegmentSummary[];
  /** All that makes opening it fail; empty for a log that opens. */
  readonly findings: readonly LogFinding[];
  /** A write that a crash left incomplete at the end: opening cuts it off. */
  readonly torn: { readonly path: string; readonly offset: number; readonly bytes: number } | null;
  /** What the records say up to the first finding; null when nothing is readable. */
  readonly recovered: RecoveredLog | null;
}

/** Follows an inspection; all calls come in the order of the log. */
export interface LogVisitor {
  /** They replace all from the first one's index on. */
  readonly onEntries?: (entries: readonly Entry[]) => void;
  /** Entries up to the base are forgotten; those above too unless `keepsRest`. */
  readonly onBase?: (base: LogBase, keepsRest: boolean) => void;
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

export interface InspectedPlace {
  readonly files: Files;
  readonly directory: string;
}

/**
 * Reads and verifies the whole log as opening it does, but goes on behind damage as far as something
 * can be read, and changes nothing. null: the directory holds no log.
 */
export async function inspectLog(
  place: InspectedPlace,
  visitor: LogVisitor = {},
): Promise<LogInspection | null> {
  return asStorageWork('inspect the log', place.directory, async () => {
    const names = (await place.files.list(place.directory)) ?? [];
    const sequences = names.map(sequenceOf).filter((sequence) => sequence !== null);
    if (sequences.length === 0) return null;
    return new Inspector(place, visitor).inspect(sequences);
  });
}

class Inspector {
  readonly #place: InspectedPlace;
  readonly #visitor: LogVisitor;
  readonly #replay = new Replay();
  readonly #segments: SegmentSummary[] = [];
  readonly #findings: LogFinding[] = [];
  readonly #used: Segment[] = [];
  /** Of the last segment in use; null before the first one. */
  #end: SegmentEnd | null = null;
  #torn: LogInspection['torn'] = null;
  #bytesDone = 0;

  constructor(place: InspectedPlace, visitor: LogVisitor) {
    this.#place = place;
    this.#visitor = visitor;
  }

  async inspect(sequences: readonly number[]): Promise<LogInspection> {
    const bytesTotal = await this.#sizeOf(sequences);
    let expected = firstOf(sequences);
    for (const sequence of sequences) {
      this.#noteMissing(expected, sequence);
      expected = sequence + 1;
      await this.#inspectSegment(sequence);
      this.#visitor.onProgress?.(this.#bytesDone, bytesTotal);
    }
    this.#checkEnds(expected);
    const isReadable = this.#replay.reached !== null;
    const recovered = isReadable ? this.#replay.result().recovered : null;
    const { segments, findings, torn } = this;
    return { segments, findings, torn, recovered };
  }

  get segments(): readonly SegmentSummary[] {
    return this.#segments;
  }

  get findings(): readonly LogFinding[] {
    return this.#findings;
  }

  get torn(): LogInspection['torn'] {
    return this.#torn;
  }

  get #isIntact(): boolean {
    return this.#findings.length === 0;
  }

  async #sizeOf(sequences: readonly number[]): Promise<number> {
    let bytes = 0;
    for (const sequence of sequences) {
      bytes += (await this.#place.files.sizeOf(this.#pathOf(sequence))) ?? 0;
    }
    return bytes;
  }

  readonly #pathOf = (sequence: number): string =>
    join(this.#place.directory, segmentName(sequence));

  /** Behind the segment in use only spare ones may come, and those may be missing. */
  #noteMissing(expected: number, found: number): void {
    if (found === expected || this.#end?.sealed === false) return;
    const path = this.#pathOf(expected);
    this.#note(damaged({ path, offset: 0 }, 'the segment is missing, but later ones are here'));
  }

  async #inspectSegment(sequence: number): Promise<void> {
    const { files } = this.#place;
    const segment = await Segment.open(files, this.#pathOf(sequence), sequence, 'read');
    const tally = new SegmentTally(segment);
    try {
      this.#segments.push(tally.summary(await this.#useOf(segment, tally)));
    } catch (error) {
      this.#note(error);
      this.#segments.push(tally.summary('damaged'));
    } finally {
      await segment.retire();
    }
    this.#bytesDone += segment.bytes;
  }

  async #useOf(segment: Segment, tally: SegmentTally): Promise<SegmentSummary['use']> {
    if (this.#end?.sealed === false) {
      await checkUnused(segment);
      return 'spare';
    }
    if (!this.#isIntact) return this.#examineAlone(segment, tally);
    this.#used.push(segment);
    const end = await this.#replay.scan(segment, this.#end, (record) => {
      tally.add(record);
      this.#visit(record);
    });
    this.#end = end;
    return this.#closed(segment, end);
  }

  /** Behind damage: what came before is not known, so only the segment itself is verified. */
  async #examineAlone(segment: Segment, tally: SegmentTally): Promise<SegmentSummary['use']> {
    if (await isBlank(segment)) return 'spare';
    const { record } = await readStart(segment);
    tally.add(record);
    const end = await scanRecords(segment, record, (one) => tally.add(one));
    return this.#closed(segment, end);
  }

  #closed(segment: Segment, end: SegmentEnd): SegmentSummary['use'] {
    if (end.sealed) return 'sealed';
    const { offset, remainsEnd } = end;
    if (remainsEnd > offset)
      this.#torn = { path: segment.path, offset, bytes: remainsEnd - offset };
    return 'in use';
  }

  #visit({ header, body }: ScannedRecord): void {
    const { onEntries, onBase } = this.#visitor;
    if (header.kind === 'entries') {
      const { entries } = readEntries(body);
      if (entries.length > 0) onEntries?.(entries);
    } else if (header.kind === 'base') {
      const { base, lastIndex } = readHead(body);
      onBase?.(base, lastIndex > base.index);
    }
  }

  #checkEnds(next: number): void {
    if (!this.#isIntact) return;
    try {
      if (this.#end?.sealed !== false) {
        throw damaged({ path: this.#pathOf(next), offset: 0 }, 'the newest segment is missing');
      }
      this.#replay.checkComplete(this.#used);
    } catch (error) {
      this.#note(error);
    }
  }

  #note(error: unknown): void {
    if (!(error instanceof LogDamage)) throw error;
    const { place, what } = error;
    this.#findings.push({ ...place, what });
  }
}

async function isBlank(segment: Segment): Promise<boolean> {
  try {
    return await checkUnused(segment);
  } catch (error) {
    if (error instanceof LogDamage) return false;
    throw error;
  }
}
