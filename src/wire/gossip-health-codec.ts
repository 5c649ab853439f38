import { assert } from '../shared/index.ts';
import type { NodeId, SampleStatus } from '../shared/index.ts';
import {
  gossipLimits,
  readColumn,
  readEpoch,
  readNodeId,
  varintBytes,
  writeColumn,
} from './gossip-fields.ts';
import type {
  HealthDigest,
  HealthHead,
  HealthReport,
  PublishedVerdict,
  VerdictEntry,
  VerdictSegment,
} from './gossip-types.ts';
import { readSafeInteger, skipField, writeBool, writeNumber, writeString } from './protobuf.ts';
import type { Reader, Writer } from './protobuf.ts';

/** Messages Segment, Report, Head and Digest of proto/gossip.proto. */

/** Their order is part of the protocol: only append. */
const verdicts: readonly PublishedVerdict[] = [
  'UP',
  'DOWN',
  'EMPTY',
  'LESS_THAN_MINSAMPLE',
  'NOT_FILL_SAMPLES',
  'NO_EMPTY_IN_SAMPLES',
  'gone',
];
const sampleStatuses: readonly SampleStatus[] = ['UP', 'DOWN', 'EMPTY'];

const COUNT_SHIFT = 3;
const SAMPLES_SHIFT = 7;
const STATE_BITS = SAMPLES_SHIFT + 2 * gossipLimits.samplesMax;
const columnCountMax = gossipLimits.exchangeBytesMax;

/** Keeps the newest samples when there are more than fit. */
function packState(verdict: PublishedVerdict, samples: readonly SampleStatus[]): number {
  const kept = samples.slice(-gossipLimits.samplesMax);
  let state = verdicts.indexOf(verdict) | (kept.length << COUNT_SHIFT);
  kept.forEach((sample, position) => {
    state |= sampleStatuses.indexOf(sample) << (SAMPLES_SHIFT + 2 * position);
  });
  return state;
}

function verdictOf(state: number): PublishedVerdict {
  const verdict = verdicts[state & 7];
  if (state >= 2 ** STATE_BITS || verdict === undefined)
    throw new RangeError(`unknown state ${state}`);
  return verdict;
}

function samplesOf(state: number): SampleStatus[] {
  const count = (state >>> COUNT_SHIFT) & 15;
  if (count > gossipLimits.samplesMax) throw new RangeError(`${count} samples in state ${state}`);
  const samples: SampleStatus[] = [];
  for (let position = 0; position < count; position++) {
    const sample = sampleStatuses[(state >>> (SAMPLES_SHIFT + 2 * position)) & 3];
    if (sample === undefined) throw new RangeError(`unknown sample in state ${state}`);
    samples.push(sample);
  }
  return samples;
}

/** Bytes that an entry adds to a segment whose entry before it has version `before`. */
export function entryBytes(entry: VerdictEntry, before: number): number {
  return (
    varintBytes(entry.keyId) +
    varintBytes(entry.version - before) +
    varintBytes(entry.valueRevision) +
    varintBytes(packState(entry.verdict, entry.samples))
  );
}

export function writeSegment(writer: Writer, segment: VerdictSegment): void {
  const { entries, fromExclusive } = segment;
  writeString(writer, 1, segment.owner);
  writeNumber(writer, 2, segment.epoch);
  writeNumber(writer, 3, fromExclusive);
  writeNumber(writer, 4, segment.toInclusive);
  writeNumber(writer, 5, segment.floor);
  writeBool(writer, 6, segment.reset);
  writeColumn(
    writer,
    7,
    entries.map((entry) => entry.keyId),
  );
  writeColumn(
    writer,
    8,
    stepsOf(
      entries.map((entry) => entry.version),
      fromExclusive,
    ),
  );
  writeColumn(
    writer,
    9,
    entries.map((entry) => entry.valueRevision),
  );
  writeColumn(
    writer,
    10,
    entries.map((entry) => packState(entry.verdict, entry.samples)),
  );
}

/** A segment as it is read; columns are joined once all are there. */
interface FoundSegment extends Owned {
  from: number;
  to: number;
  floor: number;
  reset: boolean;
  keyIds: readonly number[];
  versionSteps: readonly number[];
  valueRevisions: readonly number[];
  states: readonly number[];
}

const noNumbers: readonly number[] = [];

/** Segments are most of what is decoded: no object is spread here. */
export function readSegment(reader: Reader, end: number): VerdictSegment {
  const found: FoundSegment = {
    owner: '',
    epoch: 0,
    from: 0,
    to: 0,
    floor: 0,
    reset: false,
    keyIds: noNumbers,
    versionSteps: noNumbers,
    valueRevisions: noNumbers,
    states: noNumbers,
  };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (readOwned(reader, tag, found) || readSegmentColumn(reader, tag, found)) continue;
    if (tag === 24) found.from = readSafeInteger(reader);
    else if (tag === 32) found.to = readSafeInteger(reader);
    else if (tag === 40) found.floor = readSafeInteger(reader);
    else if (tag === 48) found.reset = reader.bool();
    else skipField(reader, tag);
  }
  const { from, to, floor, reset } = found;
  if (to < from || (reset && from > 0)) throw new RangeError(`segment (${from}, ${to}]`);
  return {
    owner: ownerOf(found),
    epoch: found.epoch,
    fromExclusive: from,
    toInclusive: to,
    floor,
    reset,
    entries: joinColumns(found),
  };
}

function readSegmentColumn(reader: Reader, tag: number, found: FoundSegment): boolean {
  if (tag === 58) found.keyIds = readColumn(reader, columnCountMax);
  else if (tag === 66) found.versionSteps = readColumn(reader, columnCountMax);
  else if (tag === 74) found.valueRevisions = readColumn(reader, columnCountMax);
  else if (tag === 82) found.states = readColumn(reader, columnCountMax);
  else return false;
  return true;
}

function joinColumns(found: FoundSegment): VerdictEntry[] {
  const { keyIds, versionSteps, valueRevisions, states } = found;
  const count = keyIds.length;
  if (versionSteps.length !== count || valueRevisions.length !== count || states.length !== count)
    throw new RangeError('columns of different lengths');
  let version = found.from;
  return keyIds.map((keyId, row) => {
    const step = versionSteps[row] ?? 0;
    version += step;
    if (step === 0 || version > found.to)
      throw new RangeError(`version ${version} outside its segment`);
    const state = states[row] ?? 0;
    return {
      keyId,
      version,
      valueRevision: valueRevisions[row] ?? 0,
      verdict: verdictOf(state),
      samples: samplesOf(state),
    };
  });
}

export function writeReport(writer: Writer, report: HealthReport): void {
  writeString(writer, 1, report.owner);
  writeNumber(writer, 2, report.epoch);
  writeNumber(writer, 3, report.number);
  writeNumber(writer, 4, report.maxVersion);
  writeNumber(writer, 5, report.basis);
  writeColumn(writer, 6, stepsOf(report.overdue, 0));
}

export function readReport(reader: Reader, end: number): HealthReport {
  const found = { ...emptyOwned(), number: 0, maxVersion: 0, basis: 0, steps: [] as number[] };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (readOwned(reader, tag, found)) continue;
    if (tag === 24) found.number = readSafeInteger(reader);
    else if (tag === 32) found.maxVersion = readSafeInteger(reader);
    else if (tag === 40) found.basis = readSafeInteger(reader);
    else if (tag === 50) found.steps = readColumn(reader, gossipLimits.overdueMax);
    else skipField(reader, tag);
  }
  if (found.number === 0) throw new RangeError('report without a number');
  const { number, maxVersion, basis } = found;
  const owner = ownerOf(found);
  return { owner, epoch: found.epoch, number, maxVersion, basis, overdue: sumsOf(found.steps) };
}

export function writeHead(writer: Writer, head: HealthHead): void {
  writeString(writer, 1, head.owner);
  writeNumber(writer, 2, head.epoch);
  writeNumber(writer, 3, head.maxVersion);
  writeNumber(writer, 4, head.reportNumber);
}

export function readHead(reader: Reader, end: number): HealthHead {
  const found = { ...emptyOwned(), maxVersion: 0, reportNumber: 0 };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (readOwned(reader, tag, found)) continue;
    if (tag === 24) found.maxVersion = readSafeInteger(reader);
    else if (tag === 32) found.reportNumber = readSafeInteger(reader);
    else skipField(reader, tag);
  }
  const { maxVersion, reportNumber } = found;
  return { owner: ownerOf(found), epoch: found.epoch, maxVersion, reportNumber };
}

export function writeDigest(writer: Writer, digest: HealthDigest): void {
  writeString(writer, 1, digest.owner);
  writeNumber(writer, 2, digest.epoch);
  writeNumber(writer, 3, digest.contiguous);
  writeNumber(writer, 4, digest.floor);
  writeNumber(writer, 5, digest.reportNumber);
}

export function readDigest(reader: Reader, end: number): HealthDigest {
  const found = { ...emptyOwned(), contiguous: 0, floor: 0, reportNumber: 0 };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (readOwned(reader, tag, found)) continue;
    if (tag === 24) found.contiguous = readSafeInteger(reader);
    else if (tag === 32) found.floor = readSafeInteger(reader);
    else if (tag === 40) found.reportNumber = readSafeInteger(reader);
    else skipField(reader, tag);
  }
  const { contiguous, floor, reportNumber } = found;
  return { owner: ownerOf(found), epoch: found.epoch, contiguous, floor, reportNumber };
}

/** Fields 1 and 2 of every health message. */
interface Owned {
  owner: NodeId | '';
  epoch: number;
}

const emptyOwned = (): Owned => ({ owner: '', epoch: 0 });

function readOwned(reader: Reader, tag: number, found: Owned): boolean {
  if (tag === 10) found.owner = readNodeId(reader);
  else if (tag === 16) found.epoch = readEpoch(reader);
  else return false;
  return true;
}

function ownerOf({ owner }: Owned): NodeId {
  if (owner === '') throw new RangeError('health without an owner');
  return owner;
}

function stepsOf(ascending: readonly number[], from: number): number[] {
  let before = from;
  return ascending.map((value) => {
    const step = value - before;
    if (step < 0) assert(false, `Column must ascend: ${value} follows ${before}`);
    before = value;
    return step;
  });
}

function sumsOf(steps: readonly number[]): number[] {
  let sum = 0;
  return steps.map((step) => {
    sum += step;
    if (!Number.isSafeInteger(sum)) throw new RangeError('key id is not a safe integer');
    return sum;
  });
}
