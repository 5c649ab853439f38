import { ProtoReader } from '../../wire/index.ts';
import type { CommandBatch, Compare, Envelope, Operation } from '../types.ts';
import { nameOf, relations, targets } from './names.ts';
import { readOperation } from './operation-decode.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const BAD_BATCH: CommandBatch = { timeMs: 0, envelopes: [], minVersion: 0 };

/**
 * The batch of a command entry. Total: an envelope that does not decode is null, bytes that are no
 * batch are one without envelopes. Keys and values are views of `payload`.
 */
export function decodeBatch(payload: Uint8Array): CommandBatch {
  const reader = new ProtoReader(payload);
  let timeMs = 0;
  let minVersion = 0;
  const envelopes: (Envelope | null)[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) timeMs = reader.uint();
    else if (field === 2) {
      const bytes = reader.bytes();
      const envelope = decodeEnvelope(bytes);
      envelopes.push(envelope);
      minVersion = Math.max(minVersion, envelope?.minVersion ?? minVersionOf(bytes));
    } else reader.fail(0);
  }
  return reader.failed ? BAD_BATCH : { timeMs, envelopes, minVersion };
}

/** The cluster version that an envelope of a later version needs; 0 when it says none. */
function minVersionOf(envelope: Uint8Array): number {
  const reader = new ProtoReader(envelope);
  const version = reader.nextField() === 1 ? reader.uint() : 0;
  return reader.failed ? 0 : version;
}

/**
 * The highest cluster version that an envelope names, wherever and however often it does: never
 * below what `decodeBatch` will find in it.
 */
export function highestVersionIn(envelope: Uint8Array): number {
  const reader = new ProtoReader(envelope);
  let highest = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) highest = Math.max(highest, reader.uint());
    else reader.skip();
  }
  return highest;
}

/** One envelope, or null when the bytes are none that this version knows. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | null {
  const reader = new ProtoReader(bytes);
  let minVersion = 0;
  let keyspace = '';
  let principal = '';
  let session = '';
  let sequence = 0;
  const compare: Compare[] = [];
  const then: Operation[] = [];
  const otherwise: Operation[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) minVersion = reader.uint();
    else if (field === 7) readOperation(reader, then);
    else if (field === 8) readOperation(reader, otherwise);
    else if (field === 6) readCompare(reader, compare);
    else if (field === 2) keyspace = reader.string();
    else if (field === 3) principal = reader.string();
    else if (field === 4) session = reader.string();
    else if (field === 5) sequence = reader.uint();
    else reader.fail(0);
  }
  if (reader.failed) return null;
  return { minVersion, keyspace, principal, session, sequence, compare, then, else: otherwise };
}

function readCompare(reader: ProtoReader, into: Compare[]): void {
  const outerEnd = reader.enter();
  let key = NO_BYTES;
  let target: Compare['target'] | undefined;
  let relation: Compare['relation'] | undefined;
  let number = 0;
  let bytes = NO_BYTES;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = reader.bytes();
    else if (field === 2) target = nameOf(targets, reader.uint());
    else if (field === 3) relation = nameOf(relations, reader.uint());
    else if (field === 4) number = reader.uint();
    else if (field === 5) bytes = reader.bytes();
    else reader.fail(0);
  }
  reader.leave(outerEnd);
  if (target === undefined || relation === undefined) reader.fail(0);
  else into.push({ key, target, relation, number, bytes });
}
