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
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

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

export function writeSegment(writer: ProtoWriter, segment: VerdictSegment): void {
  const { entries, fromExclusive } = segment;
  writer.string(1, segment.owner);
  writer.uint(2, segment.epoch);
  writer.uint(3, fromExclusive);
  writer.uint(4, segment.toInclusive);
  writer.uint(5, segment.floor);
  writer.bool(6, segment.reset);
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
export function readSegment(reader: ProtoReader): VerdictSegment {
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
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (readOwned(reader, field, found) || readSegmentColumn(reader, field, found)) continue;
    if (field === 3) found.from = reader.uint();
    else if (field === 4) found.to = reader.uint();
    else if (field === 5) found.floor = reader.uint();
    else if (field === 6) found.reset = reader.bool();
    else reader.skip();
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

function readSegmentColumn(reader: ProtoReader, field: number, found: FoundSegment): boolean {
  if (field === 7) found.keyIds = readColumn(reader, columnCountMax);
  else if (field === 8) found.versionSteps = readColumn(reader, columnCountMax);
  else if (field === 9) found.valueRevisions = readColumn(reader, columnCountMax);
  else if (field === 10) found.states = readColumn(reader, columnCountMax);
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

export function writeReport(writer: ProtoWriter, report: HealthReport): void {
  writer.string(1, report.owner);
  writer.uint(2, report.epoch);
  writer.uint(3, report.number);
  writer.uint(4, report.maxVersion);
  writer.uint(5, report.basis);
  writeColumn(writer, 6, stepsOf(report.overdue, 0));
}

export function readReport(reader: ProtoReader): HealthReport {
  const found = { ...emptyOwned(), number: 0, maxVersion: 0, basis: 0, steps: [] as number[] };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (readOwned(reader, field, found)) continue;
    if (field === 3) found.number = reader.uint();
    else if (field === 4) found.maxVersion = reader.uint();
    else if (field === 5) found.basis = reader.uint();
    else if (field === 6) found.steps = readColumn(reader, gossipLimits.overdueMax);
    else reader.skip();
  }
  if (found.number === 0) throw new RangeError('report without a number');
  const { number, maxVersion, basis } = found;
  const owner = ownerOf(found);
  return { owner, epoch: found.epoch, number, maxVersion, basis, overdue: sumsOf(found.steps) };
}

export function writeHead(writer: ProtoWriter, head: HealthHead): void {
  writer.string(1, head.owner);
  writer.uint(2, head.epoch);
  writer.uint(3, head.maxVersion);
  writer.uint(4, head.reportNumber);
}

export function readHead(reader: ProtoReader): HealthHead {
  const found = { ...emptyOwned(), maxVersion: 0, reportNumber: 0 };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (readOwned(reader, field, found)) continue;
    if (field === 3) found.maxVersion = reader.uint();
    else if (field === 4) found.reportNumber = reader.uint();
    else reader.skip();
  }
  const { maxVersion, reportNumber } = found;
  return { owner: ownerOf(found), epoch: found.epoch, maxVersion, reportNumber };
}

export function writeDigest(writer: ProtoWriter, digest: HealthDigest): void {
  writer.string(1, digest.owner);
  writer.uint(2, digest.epoch);
  writer.uint(3, digest.contiguous);
  writer.uint(4, digest.floor);
  writer.uint(5, digest.reportNumber);
}

export function readDigest(reader: ProtoReader): HealthDigest {
  const found = { ...emptyOwned(), contiguous: 0, floor: 0, reportNumber: 0 };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (readOwned(reader, field, found)) continue;
    if (field === 3) found.contiguous = reader.uint();
    else if (field === 4) found.floor = reader.uint();
    else if (field === 5) found.reportNumber = reader.uint();
    else reader.skip();
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

function readOwned(reader: ProtoReader, field: number, found: Owned): boolean {
  if (field === 1) found.owner = readNodeId(reader);
  else if (field === 2) found.epoch = readEpoch(reader);
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
