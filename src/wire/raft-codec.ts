import { asIncarnation, asNodeId, asPeerId } from '../shared/index.ts';
import type { LogIndex, PeerId, Term } from '../shared/index.ts';
import {
  createWriter,
  decodeWith,
  lengthTag,
  numberTag,
  readMessage,
  readSafeInteger,
  skipField,
  writeBytes,
  writeNumber,
  writeString,
} from './protobuf.ts';
import type { Reader, Writer } from './protobuf.ts';
import type { WireConfiguration, WireEntry, WireHardState, WireMember } from './raft-types.ts';

/** Messages Configuration, Entry and HardState of proto/raft.proto. */

const roles = ['voter', 'learner', 'observer'] as const;
const kinds = ['noop', 'command', 'configuration'] as const;

/** Value of the enumeration that starts at 1; throws on what this version does not know. */
function readChoice<T>(reader: Reader, choices: readonly T[], what: string): T {
  const value = readSafeInteger(reader);
  const choice = choices[value - 1];
  if (choice === undefined) throw new RangeError(`unknown ${what} ${value}`);
  return choice;
}

export const readIndex = (reader: Reader): LogIndex => readSafeInteger(reader) as LogIndex;
export const readTerm = (reader: Reader): Term => readSafeInteger(reader) as Term;

export function readPeer(reader: Reader): PeerId {
  const peer = reader.string();
  if (peer.lastIndexOf('@') <= 0) throw new RangeError(`'${peer}' is not nodeId@incarnation`);
  return asPeerId(peer);
}

export function encodeConfiguration(configuration: WireConfiguration): Uint8Array {
  const writer = createWriter();
  for (const member of configuration.members) {
    writer.uint32(lengthTag(1)).fork();
    writeMember(writer, member);
    writer.ldelim();
  }
  for (const peer of configuration.outgoingVoters) writer.uint32(lengthTag(2)).string(peer);
  for (const peer of configuration.removed) writer.uint32(lengthTag(3)).string(peer);
  return writer.finish();
}

function writeMember(writer: Writer, member: WireMember): void {
  writeString(writer, 1, member.nodeId);
  writeString(writer, 2, member.incarnation);
  writeNumber(writer, 3, roles.indexOf(member.role) + 1);
  writeString(writer, 4, member.zone);
  writeString(writer, 5, member.raftAddress);
  writeString(writer, 6, member.httpAddress);
  writeString(writer, 7, member.gossipAddress);
}

/** Throws QuorateError PARAM_INVALID on malformed bytes. */
export const decodeConfiguration = (bytes: Uint8Array): WireConfiguration =>
  decodeWith(bytes, 'a configuration', readConfiguration);

function readConfiguration(reader: Reader, end: number): WireConfiguration {
  const members: WireMember[] = [];
  const outgoingVoters: PeerId[] = [];
  const removed: PeerId[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === lengthTag(1)) members.push(readMessage(reader, readMember));
    else if (tag === lengthTag(2)) outgoingVoters.push(readPeer(reader));
    else if (tag === lengthTag(3)) removed.push(readPeer(reader));
    else skipField(reader, tag);
  }
  return { members, outgoingVoters, removed };
}

/** Fields 1 to 7 but the role. */
const MEMBER_TEXTS = 8;

function readMember(reader: Reader, end: number): WireMember {
  const texts = new Array<string>(MEMBER_TEXTS).fill('');
  let role: WireMember['role'] | null = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (tag === numberTag(3)) role = readChoice(reader, roles, 'member role');
    else if (field < MEMBER_TEXTS && tag === lengthTag(field)) texts[field] = reader.string();
    else skipField(reader, tag);
  }
  if (role === null) throw new RangeError('member without role');
  return memberOf(texts, role);
}

function memberOf(texts: readonly string[], role: WireMember['role']): WireMember {
  const text = (field: number): string => texts[field] ?? '';
  if (text(1) === '' || text(2) === '') throw new RangeError('member without identity');
  return {
    nodeId: asNodeId(text(1)),
    incarnation: asIncarnation(text(2)),
    role,
    zone: text(4),
    raftAddress: text(5),
    httpAddress: text(6),
    gossipAddress: text(7),
  };
}

export function encodeEntry(entry: WireEntry): Uint8Array {
  const writer = createWriter();
  writeEntry(writer, entry);
  return writer.finish();
}

export function writeEntry(writer: Writer, entry: WireEntry): void {
  writeNumber(writer, 1, entry.index);
  writeNumber(writer, 2, entry.term);
  writeNumber(writer, 3, kinds.indexOf(entry.kind) + 1);
  writeBytes(writer, 4, entry.payload);
}

/** The payload is a view of `bytes`. Throws QuorateError PARAM_INVALID on malformed bytes. */
export const decodeEntry = (bytes: Uint8Array): WireEntry =>
  decodeWith(bytes, 'a log entry', readEntry);

const NO_PAYLOAD = new Uint8Array(0);

export function readEntry(reader: Reader, end: number): WireEntry {
  let index = 0 as LogIndex;
  let term = 0 as Term;
  let kind: WireEntry['kind'] | null = null;
  let payload: Uint8Array = NO_PAYLOAD;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === numberTag(1)) index = readIndex(reader);
    else if (tag === numberTag(2)) term = readTerm(reader);
    else if (tag === numberTag(3)) kind = readChoice(reader, kinds, 'entry kind');
    else if (tag === lengthTag(4)) payload = reader.bytes();
    else skipField(reader, tag);
  }
  if (index === 0 || kind === null) throw new RangeError('entry without index or kind');
  return { index, term, kind, payload };
}

export function encodeHardState(hardState: WireHardState): Uint8Array {
  const writer = createWriter();
  writeNumber(writer, 1, hardState.term);
  writeString(writer, 2, hardState.vote ?? '');
  return writer.finish();
}

/** Throws QuorateError PARAM_INVALID on malformed bytes. */
export const decodeHardState = (bytes: Uint8Array): WireHardState =>
  decodeWith(bytes, 'a hard state', readHardState);

function readHardState(reader: Reader, end: number): WireHardState {
  let term = 0 as Term;
  let vote: PeerId | null = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === numberTag(1)) term = readTerm(reader);
    else if (tag === lengthTag(2)) vote = readPeer(reader);
    else skipField(reader, tag);
  }
  return { term, vote };
}
