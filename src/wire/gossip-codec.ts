import { asClusterId, asIncarnation } from '../shared/index.ts';
import type { ClusterId, NodeId } from '../shared/index.ts';
import {
  gossipLimits,
  readCounter,
  readEpoch,
  readNodeId,
  readText,
  readUpTo,
} from './gossip-fields.ts';
import {
  readDigest,
  readHead,
  readReport,
  readSegment,
  writeDigest,
  writeHead,
  writeReport,
  writeSegment,
} from './gossip-health-codec.ts';
import type {
  FrameOpening,
  FrameSender,
  GossipFrame,
  HealthDigest,
  HealthHead,
  HealthReport,
  MemberRecord,
  MemberRumour,
  MemberStatus,
  Ping,
  VerdictSegment,
} from './gossip-types.ts';
import {
  createWriter,
  decodeWith,
  lengthTag,
  readMessage,
  readSafeInteger,
  skipField,
  writeBool,
  writeNumber,
  writeString,
} from './protobuf.ts';
import type { Reader, Writer } from './protobuf.ts';

/** Messages Frame, Sender, Ping, PingRequest and Member of proto/gossip.proto. */

const statuses: readonly MemberStatus[] = ['alive', 'suspect', 'dead', 'left'];
const CLUSTER_ID_BYTES_MAX = 64;
const INCARNATION_BYTES_MAX = 64;

/** Opens a frame; concatenated with the items below it is a whole one. */
export function encodeOpening(clusterId: ClusterId, opening: FrameOpening): Uint8Array {
  const writer = createWriter();
  writer.uint32(lengthTag(1)).string(clusterId);
  embed(writer, 2, opening.sender, writeSender);
  if (opening.ping) embed(writer, 3, opening.ping, writePing);
  if (opening.pingRequest) embed(writer, 4, opening.pingRequest, writePing);
  writeNumber(writer, 5, opening.ack ?? 0);
  writeNumber(writer, 6, opening.nack ?? 0);
  writeBool(writer, 7, opening.sync ?? false);
  writeBool(writer, 8, opening.more ?? false);
  return writer.finish();
}

export const encodeMember = (rumour: MemberRumour): Uint8Array => item(9, rumour, writeMember);
export const encodeSegment = (segment: VerdictSegment): Uint8Array =>
  item(10, segment, writeSegment);
export const encodeReport = (report: HealthReport): Uint8Array => item(11, report, writeReport);
export const encodeHead = (head: HealthHead): Uint8Array => item(12, head, writeHead);
export const encodeDigest = (digest: HealthDigest): Uint8Array => item(13, digest, writeDigest);

/** Parts of one frame, one after the other. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function item<T>(field: number, value: T, write: (writer: Writer, value: T) => void): Uint8Array {
  const writer = createWriter();
  embed(writer, field, value, write);
  return writer.finish();
}

function embed<T>(
  writer: Writer,
  field: number,
  value: T,
  write: (writer: Writer, value: T) => void,
): void {
  writer.uint32(lengthTag(field)).fork();
  write(writer, value);
  writer.ldelim();
}

/** Throws QuorateError PARAM_INVALID for anything that is not a frame within gossipLimits. */
export function decodeFrame(bytes: Uint8Array): GossipFrame {
  return decodeWith(bytes, 'a gossip frame', readFrame);
}

interface Found {
  clusterId: ClusterId;
  sender: FrameSender | null;
  ping: Ping | null;
  pingRequest: Ping | null;
  ack: number;
  nack: number;
  sync: boolean;
  more: boolean;
  readonly members: MemberRumour[];
  readonly segments: VerdictSegment[];
  readonly reports: HealthReport[];
  readonly heads: HealthHead[];
  readonly digests: HealthDigest[];
}

function readFrame(reader: Reader, end: number): GossipFrame {
  if (reader.uint32() !== lengthTag(1)) throw new RangeError('no cluster id at its start');
  const found: Found = {
    clusterId: asClusterId(readText(reader, CLUSTER_ID_BYTES_MAX)),
    sender: null,
    ping: null,
    pingRequest: null,
    ack: 0,
    nack: 0,
    sync: false,
    more: false,
    members: [],
    segments: [],
    reports: [],
    heads: [],
    digests: [],
  };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!readOpening(reader, tag, found) && !readItem(reader, tag, found)) skipField(reader, tag);
  }
  const { sender } = found;
  if (sender === null) throw new RangeError('no sender');
  return { ...found, sender };
}

function readOpening(reader: Reader, tag: number, found: Found): boolean {
  if (tag === 18) found.sender = readMessage(reader, readSender);
  else if (tag === 26) found.ping = readMessage(reader, readPing);
  else if (tag === 34) found.pingRequest = readMessage(reader, readPing);
  else if (tag === 40) found.ack = readSafeInteger(reader);
  else if (tag === 48) found.nack = readSafeInteger(reader);
  else if (tag === 56) found.sync = reader.bool();
  else if (tag === 64) found.more = reader.bool();
  else return false;
  return true;
}

function readItem(reader: Reader, tag: number, found: Found): boolean {
  if (tag === 74) found.members.push(readMessage(reader, readMember));
  else if (tag === 82) found.segments.push(readMessage(reader, readSegment));
  else if (tag === 90) found.reports.push(readMessage(reader, readReport));
  else if (tag === 98) found.heads.push(readMessage(reader, readHead));
  else if (tag === 106) found.digests.push(readMessage(reader, readDigest));
  else return false;
  return true;
}

function writeSender(writer: Writer, sender: FrameSender): void {
  writeString(writer, 1, sender.nodeId);
  writeNumber(writer, 2, sender.epoch);
  writeNumber(writer, 3, sender.counter);
}

function readSender(reader: Reader, end: number): FrameSender {
  let nodeId: NodeId | null = null;
  let epoch = 0;
  let counter = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) nodeId = readNodeId(reader);
    else if (tag === 16) epoch = readEpoch(reader);
    else if (tag === 24) counter = readCounter(reader);
    else skipField(reader, tag);
  }
  if (nodeId === null) throw new RangeError('sender without a name');
  return { nodeId, epoch, counter };
}

function writePing(writer: Writer, ping: Ping): void {
  writeNumber(writer, 1, ping.sequence);
  writeString(writer, 2, ping.target);
}

function readPing(reader: Reader, end: number): Ping {
  let sequence = 0;
  let target: NodeId | null = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) sequence = readSafeInteger(reader);
    else if (tag === 18) target = readNodeId(reader);
    else skipField(reader, tag);
  }
  if (sequence === 0 || target === null) throw new RangeError('ping without sequence or target');
  return { sequence, target };
}

function writeMember(writer: Writer, { record, accuser, endedSeconds }: MemberRumour): void {
  writeString(writer, 1, record.nodeId);
  writeString(writer, 2, record.incarnation);
  writeNumber(writer, 3, record.epoch);
  writeNumber(writer, 4, record.counter);
  writeNumber(writer, 5, statuses.indexOf(record.status) + 1);
  writeString(writer, 6, record.address);
  writeString(writer, 7, record.zone);
  writeString(writer, 8, record.httpAddress);
  writeString(writer, 9, record.raftAddress);
  writeString(writer, 10, accuser);
  writeNumber(writer, 11, endedSeconds);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface FoundMember extends Writable<Omit<MemberRecord, 'nodeId' | 'status'>> {
  nodeId: NodeId | null;
  status: MemberStatus | undefined;
  accuser: NodeId | '';
  endedSeconds: number;
}

function readMember(reader: Reader, end: number): MemberRumour {
  const found: FoundMember = {
    nodeId: null,
    incarnation: asIncarnation(''),
    epoch: 0,
    counter: 0,
    status: undefined,
    address: '',
    zone: '',
    httpAddress: '',
    raftAddress: '',
    accuser: '',
    endedSeconds: 0,
  };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!readPlace(reader, tag, found) && !readStanding(reader, tag, found)) skipField(reader, tag);
  }
  const { accuser, endedSeconds, nodeId, status, ...rest } = found;
  if (nodeId === null || status === undefined || rest.address === '')
    throw new RangeError('member without name, status or address');
  return { record: { nodeId, status, ...rest }, accuser, endedSeconds };
}

function readPlace(reader: Reader, tag: number, found: FoundMember): boolean {
  const { addressBytesMax, zoneBytesMax } = gossipLimits;
  if (tag === 10) found.nodeId = readNodeId(reader);
  else if (tag === 18) found.incarnation = asIncarnation(readText(reader, INCARNATION_BYTES_MAX));
  else if (tag === 50) found.address = readText(reader, addressBytesMax);
  else if (tag === 58) found.zone = readText(reader, zoneBytesMax);
  else if (tag === 66) found.httpAddress = readText(reader, addressBytesMax);
  else if (tag === 74) found.raftAddress = readText(reader, addressBytesMax);
  else return false;
  return true;
}

function readStanding(reader: Reader, tag: number, found: FoundMember): boolean {
  if (tag === 24) found.epoch = readEpoch(reader);
  else if (tag === 32) found.counter = readCounter(reader);
  else if (tag === 40) found.status = statuses[readSafeInteger(reader) - 1];
  else if (tag === 82) found.accuser = readNodeId(reader);
  else if (tag === 88) found.endedSeconds = readUpTo(reader, 2 ** 40, 'age');
  else return false;
  return true;
}
