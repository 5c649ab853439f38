import type {
  Entry,
  EntryKind,
  HardState,
  IndexedConfiguration,
  LogBase,
  LogIdentity,
} from '../../raft/index.ts';
import {
  asClusterId,
  asIncarnation,
  asIndex,
  asNodeId,
  asPeerId,
  asTerm,
} from '../../shared/index.ts';
import type { LogIndex } from '../../shared/index.ts';
import { decodeConfiguration, encodeConfiguration } from '../../wire/index.ts';
import { ByteReader } from './cursor.ts';
import type { ByteWriter } from './cursor.ts';

/** What a log is besides its entries: repeated at the start of each segment. */
export interface LogHead {
  readonly hardState: HardState;
  readonly base: LogBase;
  readonly generation: number;
  /** Index of the last entry; the base's index when there is none. */
  readonly lastIndex: LogIndex;
}

/** Body of the first record of a segment. */
export interface SegmentBody {
  readonly identity: LogIdentity;
  readonly segmentBytes: number;
  readonly head: LogHead;
}

export interface EntriesBody {
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
}

/** What an entry takes in a record besides its payload. */
export const ENTRY_OVERHEAD_BYTES = 13;

const entryKinds: readonly EntryKind[] = ['noop', 'command', 'configuration'];
const kindNumbers: Readonly<Record<EntryKind, number>> = { noop: 0, command: 1, configuration: 2 };

/** Bytes of a body without entries, at most. */
export const entriesBodyBytesMax = ({ vote }: HardState): number =>
  8 + 1 + 4 + 3 * (vote?.length ?? 0) + 4 + 8;

/** `entries` are contiguous. */
export function putEntries(to: ByteWriter, { hardState, entries }: EntriesBody): void {
  putHardState(to, hardState);
  to.reserve(12);
  to.putU32(entries.length);
  to.putInteger(entries[0]?.index ?? 0);
  for (const { term, kind, payload } of entries) {
    to.reserve(ENTRY_OVERHEAD_BYTES + payload.length);
    to.putInteger(term);
    to.putU32(payload.length);
    to.putU8(kindNumbers[kind]);
    to.putRaw(payload);
  }
}

/** Payloads are views into `body`. */
export function readEntries(body: Uint8Array): EntriesBody {
  const from = new ByteReader(body);
  const hardState = readHardState(from);
  const count = from.u32();
  const first = from.integer();
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const term = asTerm(from.integer());
    const length = from.u32();
    const kind = entryKinds[from.u8()];
    if (kind === undefined) throw new RangeError(`Entry ${first + i} has an unknown kind`);
    entries.push({ index: asIndex(first + i), term, kind, payload: from.raw(length) });
  }
  return { hardState, entries };
}

export function putHead(to: ByteWriter, { hardState, base, generation, lastIndex }: LogHead): void {
  putHardState(to, hardState);
  to.reserve(40);
  to.putInteger(lastIndex);
  to.putInteger(generation);
  to.putInteger(base.index);
  to.putInteger(base.term);
  to.putInteger(base.configuration.index);
  to.putBytes(encodeConfiguration(base.configuration.configuration));
}

export const readHead = (body: Uint8Array): LogHead => headFrom(new ByteReader(body));

export function putSegment(to: ByteWriter, { identity, segmentBytes, head }: SegmentBody): void {
  to.putText(identity.clusterId);
  to.putText(identity.nodeId);
  to.putText(identity.incarnation);
  to.reserve(8);
  to.putInteger(segmentBytes);
  putHead(to, head);
}

export function readSegment(body: Uint8Array): SegmentBody {
  const from = new ByteReader(body);
  const identity = {
    clusterId: asClusterId(from.text()),
    nodeId: asNodeId(from.text()),
    incarnation: asIncarnation(from.text()),
  };
  return { identity, segmentBytes: from.integer(), head: headFrom(from) };
}

/** `end`: byte offset behind the last record of the segment that is sealed. */
export function putSeal(to: ByteWriter, end: number): void {
  to.reserve(8);
  to.putInteger(end);
}

export const readSeal = (body: Uint8Array): number => new ByteReader(body).integer();

export const readConfiguration = (entry: Entry): IndexedConfiguration => ({
  index: entry.index,
  configuration: decodeConfiguration(entry.payload),
});

function headFrom(from: ByteReader): LogHead {
  const hardState = readHardState(from);
  const lastIndex = asIndex(from.integer());
  const generation = from.integer();
  const index = asIndex(from.integer());
  const term = asTerm(from.integer());
  const configurationIndex = asIndex(from.integer());
  const configuration = decodeConfiguration(from.bytes());
  const base = { index, term, configuration: { index: configurationIndex, configuration } };
  return { hardState, base, generation, lastIndex };
}

function putHardState(to: ByteWriter, { term, vote }: HardState): void {
  to.reserve(9);
  to.putInteger(term);
  to.putU8(vote === null ? 0 : 1);
  if (vote !== null) to.putText(vote);
}

function readHardState(from: ByteReader): HardState {
  const term = asTerm(from.integer());
  return { term, vote: from.u8() === 0 ? null : asPeerId(from.text()) };
}
