import { assertNever } from '../shared/index.ts';
import type { LogIndex, PeerId, Term } from '../shared/index.ts';
import { decodeWith } from './decode-with.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';
import { readEntry, readIndex, readPeer, readTerm, smallBytes, writeEntry } from './raft-codec.ts';
import type { WireBody, WireBodyOf, WireEntry, WireRaftMessage } from './raft-types.ts';
import { writerFor } from './writer-for.ts';

/** Message RaftMessage of proto/raft.proto. */

const bodyField = {
  voteRequest: 4,
  voteResponse: 5,
  appendRequest: 6,
  appendResponse: 7,
  heartbeat: 8,
  heartbeatResponse: 9,
  timeoutNow: 10,
  readRequest: 11,
  readResponse: 12,
} as const;

/** Room for sender, receiver and the numbers of a body. */
const headBytes = 256;
/** About what index, term and kind of an entry take. */
const entryHeadBytes = 12;

export function encodeRaftMessage(message: WireRaftMessage): Uint8Array {
  const entriesBytes = message.kind === 'appendRequest' ? bytesOf(message.entries) : 0;
  const writer = writerFor(headBytes + entriesBytes);
  writer.string(1, message.from);
  writer.string(2, message.to);
  writer.uint(3, message.term);
  const mark = writer.begin(bodyField[message.kind], entriesBytes);
  writeBody(writer, message);
  writer.end(mark);
  return writer.take();
}

/** About what these entries take. */
function bytesOf(entries: readonly WireEntry[]): number {
  let bytes = 0;
  for (const { payload } of entries) bytes += payload.length + smallBytes;
  return bytes;
}

function writeBody(writer: ProtoWriter, body: WireBody): void {
  switch (body.kind) {
    case 'voteRequest':
      writeVoteRequest(writer, body);
      return;
    case 'voteResponse':
      writer.bool(1, body.preVote).bool(2, body.granted);
      return;
    case 'appendRequest':
      writeAppendRequest(writer, body);
      return;
    case 'appendResponse':
      writeAppendResponse(writer, body);
      return;
    case 'heartbeat':
      writer.uint(1, body.commit).uint(2, body.readRound);
      return;
    case 'heartbeatResponse':
      writer.uint(1, body.readRound);
      return;
    case 'timeoutNow':
      return;
    case 'readRequest':
      writer.uint(1, body.requestId);
      return;
    case 'readResponse':
      writer.uint(1, body.requestId);
      if (body.index !== null) writer.presentUint(2, body.index);
      return;
    default:
      return assertNever(body);
  }
}

function writeVoteRequest(writer: ProtoWriter, body: WireBodyOf<'voteRequest'>): void {
  writer.bool(1, body.preVote);
  writer.uint(2, body.lastIndex);
  writer.uint(3, body.lastTerm);
  writer.bool(4, body.transfer);
}

function writeAppendRequest(writer: ProtoWriter, body: WireBodyOf<'appendRequest'>): void {
  writer.uint(1, body.previousIndex);
  writer.uint(2, body.previousTerm);
  writer.uint(3, body.lastIndex);
  for (const entry of body.entries) {
    const mark = writer.begin(4, entry.payload.length + entryHeadBytes);
    writeEntry(writer, entry);
    writer.end(mark);
  }
  writer.uint(5, body.leaderCommit);
  writer.uint(6, body.readRound);
}

function writeAppendResponse(writer: ProtoWriter, body: WireBodyOf<'appendResponse'>): void {
  writer.bool(1, body.success);
  writer.uint(2, body.index);
  writer.uint(3, body.hintIndex);
  writer.uint(4, body.hintTerm);
  writer.uint(5, body.readRound);
}

/** Payloads are views of `bytes`. Throws QuorateError PARAM_INVALID on malformed bytes. */
export const decodeRaftMessage = (bytes: Uint8Array): WireRaftMessage =>
  decodeWith(bytes, 'a Raft message', readRaftMessage);

function readRaftMessage(reader: ProtoReader): WireRaftMessage {
  let from: PeerId | null = null;
  let to: PeerId | null = null;
  let term = 0 as Term;
  let body: WireBody | null = null;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    const readBody = bodyReaders[field];
    if (readBody !== undefined) body = reader.message(readBody);
    else if (field === 1) from = readPeer(reader);
    else if (field === 2) to = readPeer(reader);
    else if (field === 3) term = readTerm(reader);
    else reader.skip();
  }
  if (from === null || to === null) throw new RangeError('message without sender or receiver');
  if (body === null) throw new RangeError('message without a known body');
  return { from, to, term, ...body };
}

/** The first six fields of a message, all numbers, by field number. */
function readNumbers(reader: ProtoReader): (number | undefined)[] {
  const numbers: (number | undefined)[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field <= 6) numbers[field] = reader.uint();
    else reader.skip();
  }
  return numbers;
}

type Numbers = readonly (number | undefined)[];
const numberAt = (numbers: Numbers, field: number): number => numbers[field] ?? 0;
const indexAt = (numbers: Numbers, field: number): LogIndex => (numbers[field] ?? 0) as LogIndex;
const termAt = (numbers: Numbers, field: number): Term => (numbers[field] ?? 0) as Term;
const boolAt = (numbers: Numbers, field: number): boolean => (numbers[field] ?? 0) !== 0;

function readAppendRequest(reader: ProtoReader): WireBody {
  let previousIndex = 0 as LogIndex;
  let previousTerm = 0 as Term;
  let lastIndex = 0 as LogIndex;
  const entries: WireEntry[] = [];
  let leaderCommit = 0 as LogIndex;
  let readRound = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 4) entries.push(reader.message(readEntry));
    else if (field === 1) previousIndex = readIndex(reader);
    else if (field === 2) previousTerm = readTerm(reader);
    else if (field === 3) lastIndex = readIndex(reader);
    else if (field === 5) leaderCommit = readIndex(reader);
    else if (field === 6) readRound = reader.uint();
    else reader.skip();
  }
  const log = { previousIndex, previousTerm, lastIndex, entries };
  return { kind: 'appendRequest', ...log, leaderCommit, readRound };
}

/** Reader of a body made of numbers only. */
const ofNumbers =
  (shape: (numbers: Numbers) => WireBody) =>
  (reader: ProtoReader): WireBody =>
    shape(readNumbers(reader));

type BodyReader = (reader: ProtoReader) => WireBody;

const readerOf: Readonly<Record<keyof typeof bodyField, BodyReader>> = {
  voteRequest: ofNumbers((n) => ({
    kind: 'voteRequest',
    preVote: boolAt(n, 1),
    lastIndex: indexAt(n, 2),
    lastTerm: termAt(n, 3),
    transfer: boolAt(n, 4),
  })),
  voteResponse: ofNumbers((n) => ({
    kind: 'voteResponse',
    preVote: boolAt(n, 1),
    granted: boolAt(n, 2),
  })),
  appendRequest: readAppendRequest,
  appendResponse: ofNumbers((n) => ({
    kind: 'appendResponse',
    success: boolAt(n, 1),
    index: indexAt(n, 2),
    hintIndex: indexAt(n, 3),
    hintTerm: termAt(n, 4),
    readRound: numberAt(n, 5),
  })),
  heartbeat: ofNumbers((n) => ({
    kind: 'heartbeat',
    commit: indexAt(n, 1),
    readRound: numberAt(n, 2),
  })),
  heartbeatResponse: ofNumbers((n) => ({ kind: 'heartbeatResponse', readRound: numberAt(n, 1) })),
  timeoutNow: ofNumbers(() => ({ kind: 'timeoutNow' })),
  readRequest: ofNumbers((n) => ({ kind: 'readRequest', requestId: numberAt(n, 1) })),
  readResponse: ofNumbers((n) => ({
    kind: 'readResponse',
    requestId: numberAt(n, 1),
    index: n[2] === undefined ? null : indexAt(n, 2),
  })),
};

/** By the number of their field. */
const bodyReaders: (BodyReader | undefined)[] = [];
for (const [kind, field] of Object.entries(bodyField)) {
  bodyReaders[field] = readerOf[kind as keyof typeof bodyField];
}
