import { asNodeId, asRevision } from '../../shared/index.ts';
import type { ProtoReader } from '../../wire/index.ts';
import type { Operation } from '../types.ts';
import { closedStates, nameOf, outcomes } from './names.ts';
import type { RunEnd } from './run-codec.ts';
import { readRunEnd } from './run-codec.ts';

export function readStartAttempt(reader: ProtoReader): Operation {
  let eventId = 0;
  let attempt = 0;
  let node = '';
  let startedAtMs = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) eventId = reader.uint();
    else if (field === 2) attempt = reader.uint();
    else if (field === 3) node = reader.string();
    else if (field === 4) startedAtMs = reader.uint();
    else reader.fail(0);
  }
  return {
    kind: 'startAttempt',
    eventId: asRevision(eventId),
    attempt,
    node: asNodeId(node),
    startedAtMs,
  };
}

export function readEndAttempt(reader: ProtoReader): Operation | undefined {
  let eventId = 0;
  let attempt = 0;
  let node = '';
  let end: RunEnd | undefined;
  let outcome: (typeof outcomes)[number] | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) eventId = reader.uint();
    else if (field === 2) attempt = reader.uint();
    else if (field === 3) node = reader.string();
    else if (field === 4) end = readRunEnd(reader);
    else if (field === 5) outcome = nameOf(outcomes, reader.uint());
    else reader.fail(0);
  }
  if (end === undefined || outcome === undefined) return undefined;
  const run = { attempt, node: asNodeId(node), ...end };
  return { kind: 'endAttempt', eventId: asRevision(eventId), ...run, outcome };
}

export function readFollowerRun(reader: ProtoReader): Operation | undefined {
  let eventId = 0;
  let node = '';
  let startedAtMs = 0;
  let end: RunEnd | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) eventId = reader.uint();
    else if (field === 2) node = reader.string();
    else if (field === 3) startedAtMs = reader.uint();
    else if (field === 4) end = readRunEnd(reader);
    else reader.fail(0);
  }
  if (end === undefined) return undefined;
  const run = { node: asNodeId(node), startedAtMs, ...end };
  return { kind: 'recordFollowerRun', eventId: asRevision(eventId), ...run };
}

export function readCloseNotification(reader: ProtoReader): Operation | undefined {
  let eventId = 0;
  let state: (typeof closedStates)[number] | undefined;
  let reason = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) eventId = reader.uint();
    else if (field === 2) state = nameOf(closedStates, reader.uint());
    else if (field === 3) reason = reader.string();
    else reader.fail(0);
  }
  if (state === undefined) return undefined;
  return { kind: 'closeNotification', eventId: asRevision(eventId), state, reason };
}
