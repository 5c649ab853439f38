import { asIncarnation, asNodeId, asPeerId, utf8 } from '../shared/index.ts';
import type { LogIndex, PeerId, Term } from '../shared/index.ts';
import { decodeWith } from './decode-with.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';
import type { WireConfiguration, WireEntry, WireHardState, WireMember } from './raft-types.ts';
import { writerFor } from './writer-for.ts';

/** Messages Configuration, Entry and HardState of proto/raft.proto. */

/** Room of a writer beside payloads: numbers, tags and lengths of an entry fit. */
export const smallBytes = 64;

const roles = ['voter', 'learner', 'observer'] as const;
const kinds = ['noop', 'command', 'configuration'] as const;

/** Value of the enumeration that starts at 1; throws on what this version does not know. */
function readChoice<T>(reader: ProtoReader, choices: readonly T[], what: string): T {
  const value = reader.uint();
  const choice = choices[value - 1];
  if (choice === undefined) throw new RangeError(`unknown ${what} ${value}`);
  return choice;
}

export const readIndex = (reader: ProtoReader): LogIndex => reader.uint() as LogIndex;
export const readTerm = (reader: ProtoReader): Term => reader.uint() as Term;

export function readPeer(reader: ProtoReader): PeerId {
  const peer = reader.string();
  if (peer.lastIndexOf('@') <= 0) throw new RangeError(`'${peer}' is not nodeId@incarnation`);
  return asPeerId(peer);
}

export function encodeConfiguration(configuration: WireConfiguration): Uint8Array {
  const writer = writerFor(smallBytes);
  for (const member of configuration.members) writeMember(writer, 1, member);
  for (const peer of configuration.outgoingVoters) writer.presentBytes(2, utf8(peer));
  for (const peer of configuration.removed) writer.presentBytes(3, utf8(peer));
  for (const member of configuration.leaving ?? []) writeMember(writer, 4, member);
  return writer.take();
}

function writeMember(writer: ProtoWriter, field: number, member: WireMember): void {
  const mark = writer.begin(field, 100);
  writer.string(1, member.nodeId);
  writer.string(2, member.incarnation);
  writer.uint(3, roles.indexOf(member.role) + 1);
  writer.string(4, member.zone);
  writer.string(5, member.raftAddress);
  writer.string(6, member.httpAddress);
  writer.string(7, member.gossipAddress);
  writer.end(mark);
}

/** Throws QuorateError PARAM_INVALID on malformed bytes. */
export const decodeConfiguration = (bytes: Uint8Array): WireConfiguration =>
  decodeWith(bytes, 'a configuration', readConfiguration);

function readConfiguration(reader: ProtoReader): WireConfiguration {
  const members: WireMember[] = [];
  const outgoingVoters: PeerId[] = [];
  const removed: PeerId[] = [];
  const leaving: WireMember[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) members.push(reader.message(readMember));
    else if (field === 2) outgoingVoters.push(readPeer(reader));
    else if (field === 3) removed.push(readPeer(reader));
    else if (field === 4) leaving.push(reader.message(readMember));
    else reader.skip();
  }
  return { members, outgoingVoters, removed, ...(leaving.length > 0 && { leaving }) };
}

/** Fields 1 to 7 but the role. */
const MEMBER_TEXTS = 8;

function readMember(reader: ProtoReader): WireMember {
  const texts = new Array<string>(MEMBER_TEXTS).fill('');
  let role: WireMember['role'] | null = null;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 3) role = readChoice(reader, roles, 'member role');
    else if (field < MEMBER_TEXTS) texts[field] = reader.string();
    else reader.skip();
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
  const writer = writerFor(smallBytes + entry.payload.length);
  writeEntry(writer, entry);
  return writer.take();
}

export function writeEntry(writer: ProtoWriter, entry: WireEntry): void {
  writer.uint(1, entry.index);
  writer.uint(2, entry.term);
  writer.uint(3, kinds.indexOf(entry.kind) + 1);
  writer.bytes(4, entry.payload);
}

/** The payload is a view of `bytes`. Throws QuorateError PARAM_INVALID on malformed bytes. */
export const decodeEntry = (bytes: Uint8Array): WireEntry =>
  decodeWith(bytes, 'a log entry', readEntry);

const NO_PAYLOAD = new Uint8Array(0);

export function readEntry(reader: ProtoReader): WireEntry {
  let index = 0 as LogIndex;
  let term = 0 as Term;
  let kind: WireEntry['kind'] | null = null;
  let payload: Uint8Array = NO_PAYLOAD;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) index = readIndex(reader);
    else if (field === 2) term = readTerm(reader);
    else if (field === 3) kind = readChoice(reader, kinds, 'entry kind');
    else if (field === 4) payload = reader.bytes();
    else reader.skip();
  }
  if (index === 0 || kind === null) throw new RangeError('entry without index or kind');
  return { index, term, kind, payload };
}

export function encodeHardState(hardState: WireHardState): Uint8Array {
  const writer = writerFor(smallBytes);
  writer.uint(1, hardState.term);
  writer.string(2, hardState.vote ?? '');
  return writer.take();
}

/** Throws QuorateError PARAM_INVALID on malformed bytes. */
export const decodeHardState = (bytes: Uint8Array): WireHardState =>
  decodeWith(bytes, 'a hard state', readHardState);

function readHardState(reader: ProtoReader): WireHardState {
  let term = 0 as Term;
  let vote: PeerId | null = null;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) term = readTerm(reader);
    else if (field === 2) vote = readPeer(reader);
    else reader.skip();
  }
  return { term, vote };
}
