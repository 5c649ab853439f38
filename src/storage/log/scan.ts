import { codeOf, QuorateError } from '../../shared/index.ts';
import { damaged } from './damage.ts';
import { readSeal, readSegment } from './bodies.ts';
import type { SegmentBody } from './bodies.ts';
import { bodyIsWhole, FORMAT_VERSION, readHeader, recordBytes, takeBody } from './record.ts';
import type { RecordHeader } from './record.ts';
import type { RecordLocation } from './record-index.ts';
import type { Segment } from './segment.ts';
import { BLOCK_BYTES, roundUpToBlock, sealOffset } from './settings.ts';
import { SECTOR_BYTES } from './whitening.ts';

const WINDOW_BYTES = 4 * 1024 * 1024;
const ZEROS = new Uint8Array(64 * 1024);
/** Whole blocks. */
const SURVEY_BYTES = 1024 * 1024;

export interface ScannedRecord {
  readonly header: RecordHeader;
  readonly body: Uint8Array;
  readonly location: RecordLocation;
}

/** How a segment ends. */
export interface SegmentEnd {
  /** Byte offset behind the last record. */
  readonly offset: number;
  /** Chain value of the last record. */
  readonly chain: number;
  /** Its successor is in use: there must be one, and this one never changes again. */
  readonly sealed: boolean;
  readonly lastRecord: RecordLocation;
  /** End of what a torn write left behind `offset`; equal to `offset` when nothing. */
  readonly remainsEnd: number;
}

export interface SegmentStart extends SegmentBody {
  readonly record: ScannedRecord;
}

/** The first record of a segment, which is whole in every segment that was ever in use. */
export async function readStart(segment: Segment): Promise<SegmentStart> {
  if (segment.bytes % BLOCK_BYTES !== 0 || segment.bytes < 3 * BLOCK_BYTES) {
    throw damagedAt(segment, segment.bytes, `a file of ${segment.bytes} bytes is no whole segment`);
  }
  const found = await examine(new Window(segment), 0);
  if (found.kind !== 'record' || found.record.header.kind !== 'segment') {
    throw damagedAt(segment, 0, 'the segment does not begin with its header');
  }
  const start = {
    ...decode(segment, 0, () => readSegment(found.record.body)),
    record: found.record,
  };
  if (start.segmentBytes !== segment.bytes) {
    const wanted = `the file has ${segment.bytes} bytes, its header says ${start.segmentBytes}`;
    throw damagedAt(segment, segment.bytes, wanted);
  }
  return start;
}

/** Verifies and hands out all records behind the first; decides what an unfinished end means. */
export async function scanRecords(
  segment: Segment,
  first: ScannedRecord,
  onRecord: (record: ScannedRecord) => void,
): Promise<SegmentEnd> {
  const seal = await readSealOf(segment);
  const window = new Window(segment);
  let last = first;
  for (;;) {
    const offset = last.location.offset + last.location.bytes;
    const chain = last.header.chain;
    const end = { offset, chain, lastRecord: last.location };
    if (seal && offset >= seal.end) {
      if (offset > seal.end || chain !== seal.chain) {
        throw damagedAt(segment, offset, 'the records do not end as the seal of the segment says');
      }
      return { ...end, sealed: true, remainsEnd: offset };
    }
    const full = offset >= sealOffset(segment.bytes);
    const found: Found = full ? { kind: 'blank' } : await examine(window, offset, chain);
    if (found.kind === 'record') {
      onRecord((last = found.record));
      continue;
    }
    if (seal) throw damagedAt(segment, offset, 'a record that was acknowledged is missing');
    return { ...end, sealed: false, remainsEnd: await judgeTornEnd(segment, offset, found) };
  }
}

/** Runs a decoder on a body whose checksum is right: what it throws is damage all the same. */
export function decode<T>(segment: Segment, offset: number, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (codeOf(cause) === 'STORAGE_DAMAGED') throw cause;
    throw damagedAt(segment, offset, 'the record is whole but makes no sense', cause);
  }
}

export function damagedAt(
  segment: Segment,
  offset: number,
  what: string,
  cause?: unknown,
): QuorateError {
  return damaged({ path: segment.path, offset }, what, cause);
}

/** What lies in [from, to): where the last byte that is not zero ends, and the first record. */
export async function survey(
  segment: Segment,
  from: number,
  to: number,
): Promise<{ readonly end: number; readonly record: number | null }> {
  // One buffer for all of it: a segment is large, and what is left behind waits long for the collector.
  const buffer = new Uint8Array(Math.min(SURVEY_BYTES, to - from));
  let end = from;
  let record: number | null = null;
  for (let offset = from; offset < to; offset += buffer.length) {
    const chunk = await segment.read(offset, Math.min(buffer.length, to - offset), buffer);
    if (isZero(chunk)) continue;
    for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
      const block = chunk.subarray(at, at + BLOCK_BYTES);
      if (isZero(block)) continue;
      end = offset + at + block.length;
      if (readHeader(block)?.offset === offset + at) record ??= offset + at;
    }
  }
  return { end, record };
}

type Found =
  | { readonly kind: 'record'; readonly record: ScannedRecord }
  /** The first sector is zero. */
  | { readonly kind: 'blank' }
  /** The header is right, the body is not, and a sector of it never arrived. */
  | { readonly kind: 'unfinished'; readonly bytes: number };

/** Without `chain` the record may follow anything. */
async function examine(window: Window, offset: number, chain?: number): Promise<Found> {
  const { segment } = window;
  const sector = await window.at(offset, SECTOR_BYTES);
  const header = readHeader(sector);
  if (!header) {
    if (isZero(sector)) return { kind: 'blank' };
    throw damagedAt(segment, offset, 'what is here is neither a record nor empty');
  }
  checkHeader(segment, offset, header);
  if (chain !== undefined && header.previousChain !== chain) {
    throw damagedAt(segment, offset, 'the record does not follow the one before it');
  }
  const exactBytes = recordBytes(header.bodyBytes);
  const bytes = roundUpToBlock(exactBytes);
  if (offset + bytes > sealOffset(segment.bytes)) {
    throw damagedAt(segment, offset, `a record of ${bytes} bytes does not fit in the segment`);
  }
  const content = await window.at(offset, bytes);
  if (bodyIsWhole(header, content)) {
    const location = { sequence: segment.sequence, offset, bytes };
    return { kind: 'record', record: { header, body: takeBody(header, content), location } };
  }
  if (hasZeroSector(content, exactBytes)) return { kind: 'unfinished', bytes };
  throw damagedAt(
    segment,
    offset,
    'the checksum of the record is wrong though all of it was written',
  );
}

function checkHeader(segment: Segment, offset: number, header: RecordHeader): void {
  if (header.version !== FORMAT_VERSION || header.kind === null) {
    const found = `${segment.path} has format ${header.version}`;
    throw new QuorateError(
      'STORAGE_FAILED',
      `Cannot open the log as format ${FORMAT_VERSION}: ${found}; start the newer program`,
    );
  }
  if (header.sequence !== segment.sequence) {
    throw damagedAt(segment, offset, `the record belongs to segment ${header.sequence}`);
  }
  if (header.offset !== offset) {
    throw damagedAt(segment, offset, `the record belongs to byte ${header.offset}`);
  }
}

/**
 * The last write may have been torn by a crash: then nothing of ours can follow it, as one write is
 * in flight at a time. Returns where its remains end.
 */
async function judgeTornEnd(segment: Segment, offset: number, found: Found): Promise<number> {
  const limit = sealOffset(segment.bytes);
  if (found.kind !== 'unfinished') {
    const { end, record } = await survey(segment, offset, limit);
    if (record === null) return end;
    throw damagedAt(segment, offset, `a record is missing, as one follows at byte ${record}`);
  }
  const tornEnd = offset + found.bytes;
  const { end } = await survey(segment, tornEnd, limit);
  if (end === tornEnd) return tornEnd;
  throw damagedAt(segment, offset, `a record is incomplete, but data follows before byte ${end}`);
}

/** The seal's word on where the records end, or null when the segment is not sealed. */
async function readSealOf(
  segment: Segment,
): Promise<{ readonly end: number; readonly chain: number } | null> {
  const offset = sealOffset(segment.bytes);
  const block = await segment.read(offset, BLOCK_BYTES);
  if (isZero(block)) return null;
  const header = readHeader(block);
  if (header?.kind !== 'seal' || !bodyIsWhole(header, block)) {
    throw damagedAt(segment, offset, 'what is here is neither a seal nor empty');
  }
  checkHeader(segment, offset, header);
  const body = takeBody(header, block);
  return { end: decode(segment, offset, () => readSeal(body)), chain: header.previousChain };
}

export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}

function hasZeroSector(bytes: Uint8Array, end: number): boolean {
  for (let at = 0; at < end; at += SECTOR_BYTES) {
    if (isZero(bytes.subarray(at, at + SECTOR_BYTES))) return true;
  }
  return false;
}

/** Reads a segment front to back in large steps. */
class Window {
  readonly segment: Segment;
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(segment: Segment) {
    this.segment = segment;
  }

  /** A view that stays valid; the range must lie in the file. */
  async at(offset: number, length: number): Promise<Uint8Array> {
    if (offset < this.#start || offset + length > this.#start + this.#bytes.length) {
      const wanted = Math.max(length, Math.min(WINDOW_BYTES, this.segment.bytes - offset));
      this.#bytes = (await this.segment.read(offset, wanted)) as Uint8Array<ArrayBuffer>;
      this.#start = offset;
    }
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + length);
  }
}
