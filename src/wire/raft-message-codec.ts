import { assertNever } from '../shared/index.ts';
import type { LogIndex, PeerId, Term } from '../shared/index.ts';
import {
  createWriter,
  decodeWith,
  lengthTag,
  numberTag,
  readMessage,
  readSafeInteger,
  skipField,
  writeBool,
  writeNumber,
  writePresentNumber,
  writeString,
} from './protobuf.ts';
import type { Reader, Writer } from './protobuf.ts';
import { readEntry, readIndex, readPeer, readTerm, writeEntry } from './raft-codec.ts';
import type { WireBody, WireBodyOf, WireEntry, WireRaftMessage } from './raft-types.ts';

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

export function encodeRaftMessage(message: WireRaftMessage): Uint8Array {
  const writer = createWriter();
  writeString(writer, 1, message.from);
  writeString(writer, 2, message.to);
  writeNumber(writer, 3, message.term);
  writer.uint32(lengthTag(bodyField[message.kind])).fork();
  writeBody(writer, message);
  writer.ldelim();
  return writer.finish();
}

function writeBody(writer: Writer, body: WireBody): void {
  switch (body.kind) {
    case 'voteRequest':
      writeVoteRequest(writer, body);
      return;
    case 'voteResponse':
      writeBool(writer, 1, body.preVote);
      {
        writeBool(writer, 2, body.granted);
        return;
      }
    case 'appendRequest':
      writeAppendRequest(writer, body);
      return;
    case 'appendResponse':
      writeAppendResponse(writer, body);
      return;
    case 'heartbeat':
      writeNumber(writer, 1, body.commit);
      {
        writeNumber(writer, 2, body.readRound);
        return;
      }
    case 'heartbeatResponse':
      writeNumber(writer, 1, body.readRound);
      return;
    case 'timeoutNow':
      return;
    case 'readRequest':
      writeNumber(writer, 1, body.requestId);
      return;
    case 'readResponse':
      writeNumber(writer, 1, body.requestId);
      if (body.index !== null) writePresentNumber(writer, 2, body.index);
      return;
    default:
      return assertNever(body);
  }
}

function writeVoteRequest(writer: Writer, body: WireBodyOf<'voteRequest'>): void {
  writeBool(writer, 1, body.preVote);
  writeNumber(writer, 2, body.lastIndex);
  writeNumber(writer, 3, body.lastTerm);
  writeBool(writer, 4, body.transfer);
}

function writeAppendRequest(writer: Writer, body: WireBodyOf<'appendRequest'>): void {
  writeNumber(writer, 1, body.previousIndex);
  writeNumber(writer, 2, body.previousTerm);
  writeNumber(writer, 3, body.lastIndex);
  for (const entry of body.entries) {
    writer.uint32(lengthTag(4)).fork();
    writeEntry(writer, entry);
    writer.ldelim();
  }
  writeNumber(writer, 5, body.leaderCommit);
  writeNumber(writer, 6, body.readRound);
}

function writeAppendResponse(writer: Writer, body: WireBodyOf<'appendResponse'>): void {
  writeBool(writer, 1, body.success);
  writeNumber(writer, 2, body.index);
  writeNumber(writer, 3, body.hintIndex);
  writeNumber(writer, 4, body.hintTerm);
  writeNumber(writer, 5, body.readRound);
}

/** Payloads are views of `bytes`. Throws QuorateError PARAM_INVALID on malformed bytes. */
export const decodeRaftMessage = (bytes: Uint8Array): WireRaftMessage =>
  decodeWith(bytes, 'a Raft message', readRaftMessage);

function readRaftMessage(reader: Reader, end: number): WireRaftMessage {
  let from: PeerId | null = null;
  let to: PeerId | null = null;
  let term = 0 as Term;
  let body: WireBody | null = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const readBody = bodyReaders.get(tag);
    if (readBody !== undefined) body = readMessage(reader, readBody);
    else if (tag === lengthTag(1)) from = readPeer(reader);
    else if (tag === lengthTag(2)) to = readPeer(reader);
    else if (tag === numberTag(3)) term = readTerm(reader);
    else skipField(reader, tag);
  }
  if (from === null || to === null) throw new RangeError('message without sender or receiver');
  if (body === null) throw new RangeError('message without a known body');
  return { from, to, term, ...body };
}

/** The number fields of a message by field number; strings and messages are skipped. */
function readNumbers(reader: Reader, end: number): (number | undefined)[] {
  const numbers: (number | undefined)[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field >= 1 && field <= 6 && tag === numberTag(field)) {
      numbers[field] = readSafeInteger(reader);
    } else skipField(reader, tag);
  }
  return numbers;
}

type Numbers = readonly (number | undefined)[];
const numberAt = (numbers: Numbers, field: number): number => numbers[field] ?? 0;
const indexAt = (numbers: Numbers, field: number): LogIndex => (numbers[field] ?? 0) as LogIndex;
const termAt = (numbers: Numbers, field: number): Term => (numbers[field] ?? 0) as Term;
const boolAt = (numbers: Numbers, field: number): boolean => (numbers[field] ?? 0) !== 0;

function readAppendRequest(reader: Reader, end: number): WireBody {
  let previousIndex = 0 as LogIndex;
  let previousTerm = 0 as Term;
  let lastIndex = 0 as LogIndex;
  const entries: WireEntry[] = [];
  let leaderCommit = 0 as LogIndex;
  let readRound = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === lengthTag(4)) entries.push(readMessage(reader, readEntry));
    else if (tag === numberTag(1)) previousIndex = readIndex(reader);
    else if (tag === numberTag(2)) previousTerm = readTerm(reader);
    else if (tag === numberTag(3)) lastIndex = readIndex(reader);
    else if (tag === numberTag(5)) leaderCommit = readIndex(reader);
    else if (tag === numberTag(6)) readRound = readSafeInteger(reader);
    else skipField(reader, tag);
  }
  const log = { previousIndex, previousTerm, lastIndex, entries };
  return { kind: 'appendRequest', ...log, leaderCommit, readRound };
}

/** Reader of a body made of numbers only. */
const ofNumbers =
  (shape: (numbers: Numbers) => WireBody) =>
  (reader: Reader, end: number): WireBody =>
    shape(readNumbers(reader, end));

const bodyReaders: ReadonlyMap<number, (reader: Reader, end: number) => WireBody> = new Map([
  [
    lengthTag(bodyField.voteRequest),
    ofNumbers((n) => ({
      kind: 'voteRequest',
      preVote: boolAt(n, 1),
      lastIndex: indexAt(n, 2),
      lastTerm: termAt(n, 3),
      transfer: boolAt(n, 4),
    })),
  ],
  [
    lengthTag(bodyField.voteResponse),
    ofNumbers((n) => ({ kind: 'voteResponse', preVote: boolAt(n, 1), granted: boolAt(n, 2) })),
  ],
  [lengthTag(bodyField.appendRequest), readAppendRequest],
  [
    lengthTag(bodyField.appendResponse),
    ofNumbers((n) => ({
      kind: 'appendResponse',
      success: boolAt(n, 1),
      index: indexAt(n, 2),
      hintIndex: indexAt(n, 3),
      hintTerm: termAt(n, 4),
      readRound: numberAt(n, 5),
    })),
  ],
  [
    lengthTag(bodyField.heartbeat),
    ofNumbers((n) => ({ kind: 'heartbeat', commit: indexAt(n, 1), readRound: numberAt(n, 2) })),
  ],
  [
    lengthTag(bodyField.heartbeatResponse),
    ofNumbers((n) => ({ kind: 'heartbeatResponse', readRound: numberAt(n, 1) })),
  ],
  [lengthTag(bodyField.timeoutNow), ofNumbers(() => ({ kind: 'timeoutNow' }))],
  [
    lengthTag(bodyField.readRequest),
    ofNumbers((n) => ({ kind: 'readRequest', requestId: numberAt(n, 1) })),
  ],
  [
    lengthTag(bodyField.readResponse),
    ofNumbers((n) => ({
      kind: 'readResponse',
      requestId: numberAt(n, 1),
      index: n[2] === undefined ? null : indexAt(n, 2),
    })),
  ],
]);
