import { asClusterId, asIncarnation, utf8 } from '../shared/index.ts';
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
import { decodeWith } from './decode-with.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';
import { writerFor } from './writer-for.ts';

/** Messages Frame, Sender, Ping, PingRequest and Member of proto/gossip.proto. */

const statuses: readonly MemberStatus[] = ['alive', 'suspect', 'dead', 'left'];
/** Room of a writer at first; most items fit. */
const smallBytes = 256;
const CLUSTER_ID_BYTES_MAX = 64;
const INCARNATION_BYTES_MAX = 64;

/** Opens a frame; concatenated with the items below it is a whole one. */
export function encodeOpening(clusterId: ClusterId, opening: FrameOpening): Uint8Array {
  const writer = writerFor(smallBytes);
  writer.presentBytes(1, utf8(clusterId));
  embed(writer, 2, opening.sender, writeSender);
  if (opening.ping) embed(writer, 3, opening.ping, writePing);
  if (opening.pingRequest) embed(writer, 4, opening.pingRequest, writePing);
  writer.uint(5, opening.ack ?? 0);
  writer.uint(6, opening.nack ?? 0);
  writer.bool(7, opening.sync ?? false);
  writer.bool(8, opening.more ?? false);
  return writer.take();
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

function item<T>(
  field: number,
  value: T,
  write: (writer: ProtoWriter, value: T) => void,
): Uint8Array {
  const writer = writerFor(smallBytes);
  embed(writer, field, value, write);
  return writer.take();
}

function embed<T>(
  writer: ProtoWriter,
  field: number,
  value: T,
  write: (writer: ProtoWriter, value: T) => void,
): void {
  const mark = writer.begin(field);
  write(writer, value);
  writer.end(mark);
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

function readFrame(reader: ProtoReader): GossipFrame {
  if (reader.nextField() !== 1) throw new RangeError('no cluster id at its start');
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
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (!readOpening(reader, field, found) && !readItem(reader, field, found)) reader.skip();
  }
  const { sender } = found;
  if (sender === null) throw new RangeError('no sender');
  return { ...found, sender };
}

function readOpening(reader: ProtoReader, field: number, found: Found): boolean {
  if (field === 2) found.sender = reader.message(readSender);
  else if (field === 3) found.ping = reader.message(readPing);
  else if (field === 4) found.pingRequest = reader.message(readPing);
  else if (field === 5) found.ack = reader.uint();
  else if (field === 6) found.nack = reader.uint();
  else if (field === 7) found.sync = reader.bool();
  else if (field === 8) found.more = reader.bool();
  else return false;
  return true;
}

function readItem(reader: ProtoReader, field: number, found: Found): boolean {
  if (field === 9) found.members.push(reader.message(readMember));
  else if (field === 10) found.segments.push(reader.message(readSegment));
  else if (field === 11) found.reports.push(reader.message(readReport));
  else if (field === 12) found.heads.push(reader.message(readHead));
  else if (field === 13) found.digests.push(reader.message(readDigest));
  else return false;
  return true;
}

function writeSender(writer: ProtoWriter, sender: FrameSender): void {
  writer.string(1, sender.nodeId);
  writer.uint(2, sender.epoch);
  writer.uint(3, sender.counter);
}

function readSender(reader: ProtoReader): FrameSender {
  let nodeId: NodeId | null = null;
  let epoch = 0;
  let counter = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) nodeId = readNodeId(reader);
    else if (field === 2) epoch = readEpoch(reader);
    else if (field === 3) counter = readCounter(reader);
    else reader.skip();
  }
  if (nodeId === null) throw new RangeError('sender without a name');
  return { nodeId, epoch, counter };
}

function writePing(writer: ProtoWriter, ping: Ping): void {
  writer.uint(1, ping.sequence);
  writer.string(2, ping.target);
}

function readPing(reader: ProtoReader): Ping {
  let sequence = 0;
  let target: NodeId | null = null;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) sequence = reader.uint();
    else if (field === 2) target = readNodeId(reader);
    else reader.skip();
  }
  if (sequence === 0 || target === null) throw new RangeError('ping without sequence or target');
  return { sequence, target };
}

function writeMember(writer: ProtoWriter, { record, accuser, endedSeconds }: MemberRumour): void {
  writer.string(1, record.nodeId);
  writer.string(2, record.incarnation);
  writer.uint(3, record.epoch);
  writer.uint(4, record.counter);
  writer.uint(5, statuses.indexOf(record.status) + 1);
  writer.string(6, record.address);
  writer.string(7, record.zone);
  writer.string(8, record.httpAddress);
  writer.string(9, record.raftAddress);
  writer.string(10, accuser);
  writer.uint(11, endedSeconds);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface FoundMember extends Writable<Omit<MemberRecord, 'nodeId' | 'status'>> {
  nodeId: NodeId | null;
  status: MemberStatus | undefined;
  accuser: NodeId | '';
  endedSeconds: number;
}

function readMember(reader: ProtoReader): MemberRumour {
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
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (!readPlace(reader, field, found) && !readStanding(reader, field, found)) reader.skip();
  }
  const { accuser, endedSeconds, nodeId, status, ...rest } = found;
  if (nodeId === null || status === undefined || rest.address === '')
    throw new RangeError('member without name, status or address');
  return { record: { nodeId, status, ...rest }, accuser, endedSeconds };
}

function readPlace(reader: ProtoReader, field: number, found: FoundMember): boolean {
  const { addressBytesMax, zoneBytesMax } = gossipLimits;
  if (field === 1) found.nodeId = readNodeId(reader);
  else if (field === 2) found.incarnation = asIncarnation(readText(reader, INCARNATION_BYTES_MAX));
  else if (field === 6) found.address = readText(reader, addressBytesMax);
  else if (field === 7) found.zone = readText(reader, zoneBytesMax);
  else if (field === 8) found.httpAddress = readText(reader, addressBytesMax);
  else if (field === 9) found.raftAddress = readText(reader, addressBytesMax);
  else return false;
  return true;
}

function readStanding(reader: ProtoReader, field: number, found: FoundMember): boolean {
  if (field === 3) found.epoch = readEpoch(reader);
  else if (field === 4) found.counter = readCounter(reader);
  else if (field === 5) found.status = statuses[reader.uint() - 1];
  else if (field === 10) found.accuser = readNodeId(reader);
  else if (field === 11) found.endedSeconds = readUpTo(reader, 2 ** 40, 'age');
  else return false;
  return true;
}
