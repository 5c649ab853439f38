import type { Evidence, EventStatus } from '../../shared/index.ts';
import { asRevision } from '../../shared/index.ts';
import type { ProtoReader } from '../../wire/index.ts';
import type { HealthExpectation, Operation } from '../types.ts';
import { readEvidence } from './evidence-codec.ts';
import { nameOf, statuses } from './names.ts';
import {
  readCloseNotification,
  readEndAttempt,
  readFollowerRun,
  readStartAttempt,
} from './notification-decode.ts';
import { readSettings } from './settings-codec.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_EVIDENCE: Evidence = { quorum: 0, minZones: 0, votes: [] };

/** Reads one operation into the list; fails the reader when it is none or more than one. */
export function readOperation(reader: ProtoReader, into: Operation[]): void {
  const outerEnd = reader.enter();
  const operation = readKind(reader, reader.nextField());
  if (operation === undefined || reader.nextField() !== 0) reader.fail(0);
  else into.push(operation);
  reader.leave(outerEnd);
}

function readKind(reader: ProtoReader, field: number): Operation | undefined {
  if (field === 0) return undefined;
  const outerEnd = reader.enter();
  const operation = readBody(reader, field);
  reader.leave(outerEnd);
  return operation;
}

function readBody(reader: ProtoReader, kind: number): Operation | undefined {
  switch (kind) {
    case 1:
      return readPut(reader);
    case 2:
      return readDelete(reader);
    case 3:
      return readSetBaseline(reader);
    case 4:
      return readRecordEvent(reader);
    case 5:
      return readStartAttempt(reader);
    case 6:
      return readEndAttempt(reader);
    case 7:
      return readFollowerRun(reader);
    case 8:
      return readCloseNotification(reader);
    case 9:
      return readPutSettings(reader);
    case 10:
      return readSetNoSpace(reader);
    case 11:
      return readRaiseEpoch(reader);
    default:
      return undefined;
  }
}

function readPut(reader: ProtoReader): Operation {
  let key = NO_BYTES;
  let value = NO_BYTES;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = reader.bytes();
    else if (field === 2) value = reader.bytes();
    else reader.fail(0);
  }
  return { kind: 'put', key, value };
}

function readDelete(reader: ProtoReader): Operation {
  let key = NO_BYTES;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = reader.bytes();
    else reader.fail(0);
  }
  return { kind: 'delete', key };
}

function readExpectation(reader: ProtoReader): HealthExpectation {
  const outerEnd = reader.enter();
  let key = '';
  let createRevision = asRevision(0);
  let valueRevision = asRevision(0);
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = reader.string();
    else if (field === 2) createRevision = asRevision(reader.uint());
    else if (field === 3) valueRevision = asRevision(reader.uint());
    else reader.fail(0);
  }
  reader.leave(outerEnd);
  return { key, createRevision, valueRevision };
}

function readSetBaseline(reader: ProtoReader): Operation | undefined {
  let expect: HealthExpectation | undefined;
  let to: EventStatus | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) expect = readExpectation(reader);
    else if (field === 2) to = nameOf(statuses, reader.uint());
    else reader.fail(0);
  }
  if (expect === undefined || (to !== 'UP' && to !== 'DOWN')) return undefined;
  return { kind: 'setBaseline', expect, to };
}

function readRecordEvent(reader: ProtoReader): Operation | undefined {
  let expect: HealthExpectation | undefined;
  let value = NO_BYTES;
  let from: EventStatus | '' | undefined = '';
  let to: EventStatus | undefined;
  let reason = '';
  let evidence = NO_EVIDENCE;
  let tracked = false;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) expect = readExpectation(reader);
    else if (field === 2) value = reader.bytes();
    else if (field === 3) from = nameOf(statuses, reader.uint());
    else if (field === 4) to = nameOf(statuses, reader.uint());
    else if (field === 5) reason = reader.string();
    else if (field === 6) evidence = readEvidence(reader);
    else if (field === 7) tracked = reader.bool();
    else reader.fail(0);
  }
  if (expect === undefined || from === undefined || to === undefined) return undefined;
  return { kind: 'recordEvent', expect, value, from, to, reason, evidence, tracked };
}

function readSetNoSpace(reader: ProtoReader): Operation {
  let nodes = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) nodes = reader.string();
    else reader.fail(0);
  }
  return { kind: 'setNoSpace', nodes };
}

function readRaiseEpoch(reader: ProtoReader): Operation {
  let epoch = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) epoch = reader.uint();
    else reader.fail(0);
  }
  return { kind: 'raiseEpoch', epoch };
}

function readPutSettings(reader: ProtoReader): Operation | undefined {
  let operation: Operation | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field !== 1) reader.fail(0);
    const outerEnd = reader.enter();
    operation = { kind: 'putSettings', settings: readSettings(reader) };
    reader.leave(outerEnd);
  }
  return operation;
}
