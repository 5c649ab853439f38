import { assertNever } from '../../shared/index.ts';
import { ProtoWriter, writerFor } from '../../wire/index.ts';
import type { Compare, Envelope, HealthExpectation, Operation } from '../types.ts';
import { writeEvidence } from './evidence-codec.ts';
import { closedStates, numberOf, outcomes, relations, statuses, targets } from './names.ts';
import { wholeMs, writeRunEnd } from './run-codec.ts';
import { writeSettings } from './settings-codec.ts';

/** Room for everything of an envelope but keys and values. */
const OVERHEAD_BYTES = 128;

/** Message quorate.command.Envelope. Throws InvariantError for numbers that are no safe integers. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { compare, then, else: otherwise } = envelope;
  const payloadBytes = bytesOf(compare) + bytesOf(then) + bytesOf(otherwise);
  const writer = writerFor(payloadBytes + OVERHEAD_BYTES);
  writer.uint(1, envelope.minVersion).string(2, envelope.keyspace).string(3, envelope.principal);
  writer.string(4, envelope.session).uint(5, envelope.sequence);
  for (const item of compare) writeCompare(writer, item);
  for (const operation of then) writeOperation(writer, 7, operation);
  for (const operation of otherwise) writeOperation(writer, 8, operation);
  return writer.take();
}

/**
 * Message quorate.command.Batch around envelopes that are encoded already.
 * `timeMs`: the leader's clock, Unix milliseconds.
 */
export function encodeBatch(batch: {
  readonly timeMs: number;
  readonly envelopes: readonly Uint8Array[];
}): Uint8Array {
  let size = 16;
  for (const envelope of batch.envelopes) size += envelope.length + 20;
  const writer = new ProtoWriter(size);
  writer.uint(1, wholeMs(batch.timeMs));
  for (const envelope of batch.envelopes) writer.presentBytes(2, envelope);
  return writer.take();
}

function bytesOf(items: readonly (Compare | Operation)[]): number {
  let size = 0;
  for (const item of items) {
    size += 32;
    if ('key' in item) size += item.key.length;
    if ('value' in item) size += item.value.length;
    if ('bytes' in item) size += item.bytes.length;
  }
  return size;
}

function writeCompare(writer: ProtoWriter, compare: Compare): void {
  const mark = writer.begin(6, compare.key.length + compare.bytes.length + 16);
  writer.bytes(1, compare.key).uint(2, numberOf(targets, compare.target));
  writer.uint(3, numberOf(relations, compare.relation));
  writer.uint(4, compare.number).bytes(5, compare.bytes);
  writer.end(mark);
}

function writeOperation(writer: ProtoWriter, field: number, operation: Operation): void {
  const sizeHint = bytesOf([operation]) - 20;
  const outer = writer.begin(field, sizeHint);
  switch (operation.kind) {
    case 'put': {
      const mark = writer.begin(1, sizeHint - 4);
      writer.bytes(1, operation.key).bytes(2, operation.value).end(mark);
      break;
    }
    case 'delete': {
      const mark = writer.begin(2, operation.key.length);
      writer.bytes(1, operation.key).end(mark);
      break;
    }
    case 'putSettings': {
      const mark = writer.begin(9);
      const inner = writer.begin(1);
      writeSettings(writer, operation.settings);
      writer.end(inner);
      writer.end(mark);
      break;
    }
    case 'setNoSpace': {
      const mark = writer.begin(10, operation.nodes.length);
      writer.string(1, operation.nodes).end(mark);
      break;
    }
    case 'raiseEpoch': {
      const mark = writer.begin(11);
      writer.uint(1, operation.epoch).end(mark);
      break;
    }
    case 'setBaseline':
    case 'recordEvent':
      writeDecision(writer, operation);
      break;
    default:
      writeNotification(writer, operation);
  }
  writer.end(outer);
}

type Decision = Extract<Operation, { kind: 'setBaseline' | 'recordEvent' }>;

function writeDecision(writer: ProtoWriter, operation: Decision): void {
  if (operation.kind === 'setBaseline') {
    const mark = writer.begin(3);
    writeExpectation(writer, operation.expect);
    writer.uint(2, numberOf(statuses, operation.to)).end(mark);
    return;
  }
  const mark = writer.begin(4, operation.value.length + 0x80);
  writeExpectation(writer, operation.expect);
  writer.bytes(2, operation.value);
  writer.uint(3, operation.from === '' ? 0 : numberOf(statuses, operation.from));
  writer.uint(4, numberOf(statuses, operation.to)).string(5, operation.reason);
  writeEvidence(writer, 6, operation.evidence);
  writer.bool(7, operation.tracked).end(mark);
}

function writeExpectation(writer: ProtoWriter, expect: HealthExpectation): void {
  const mark = writer.begin(1);
  writer.string(1, expect.key).uint(2, expect.createRevision).uint(3, expect.valueRevision);
  writer.end(mark);
}

type Notification = Extract<
  Operation,
  { kind: 'startAttempt' | 'endAttempt' | 'recordFollowerRun' | 'closeNotification' }
>;

function writeNotification(writer: ProtoWriter, operation: Notification): void {
  const { kind, eventId } = operation;
  switch (kind) {
    case 'startAttempt': {
      const mark = writer.begin(5);
      writer.uint(1, eventId).uint(2, operation.attempt).string(3, operation.node);
      writer.uint(4, wholeMs(operation.startedAtMs)).end(mark);
      return;
    }
    case 'endAttempt': {
      const mark = writer.begin(6, operation.output.length);
      writer.uint(1, eventId).uint(2, operation.attempt).string(3, operation.node);
      writeRunEnd(writer, 4, operation);
      writer.uint(5, numberOf(outcomes, operation.outcome)).end(mark);
      return;
    }
    case 'recordFollowerRun': {
      const mark = writer.begin(7, operation.output.length);
      writer.uint(1, eventId).string(2, operation.node).uint(3, wholeMs(operation.startedAtMs));
      writeRunEnd(writer, 4, operation);
      writer.end(mark);
      return;
    }
    case 'closeNotification': {
      const mark = writer.begin(8);
      writer.uint(1, eventId).uint(2, numberOf(closedStates, operation.state));
      writer.string(3, operation.reason).end(mark);
      return;
    }
    default:
      assertNever(kind);
  }
}
