import {
  createWriter,
  decodeWith,
  lengthTag,
  numberTag,
  readMessage,
  readSafeInteger,
  skipField,
  writeBool,
  writeBytes,
  writeNumber,
  writePresentNumber,
  writeString,
} from './protobuf.ts';
import type { Reader, Writer } from './protobuf.ts';

/** Bodies of the calls between peers: messages of proto/call.proto. */

/** What became of one forwarded command, as the leader answers it. */
export type WireOutcome =
  | {
      readonly kind: 'applied';
      readonly revision: number;
      readonly changed: boolean;
      readonly branch: 'then' | 'else';
    }
  | { readonly kind: 'rejected'; readonly code: string; readonly message: string }
  /** Surely not applied; may be tried again. `reason` is a refusal reason or 'lost'. */
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string }
  | { readonly kind: 'unknown' };

const kinds = ['applied', 'rejected', 'refused', 'unknown'] as const;

export function encodeProposeRequest(envelopes: readonly Uint8Array[]): Uint8Array {
  const writer = createWriter();
  for (const envelope of envelopes) writer.uint32(lengthTag(1)).bytes(envelope);
  return writer.finish();
}

export const decodeProposeRequest = (bytes: Uint8Array): readonly Uint8Array[] =>
  decodeWith(bytes, 'a propose request', (reader, end) => {
    const envelopes: Uint8Array[] = [];
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === lengthTag(1)) envelopes.push(reader.bytes());
      else skipField(reader, tag);
    }
    return envelopes;
  });

export function encodeProposeResponse(outcomes: readonly WireOutcome[]): Uint8Array {
  const writer = createWriter();
  for (const outcome of outcomes) {
    writer.uint32(lengthTag(1)).fork();
    writeOutcome(writer, outcome);
    writer.ldelim();
  }
  return writer.finish();
}

function writeOutcome(writer: Writer, outcome: WireOutcome): void {
  writeNumber(writer, 1, kinds.indexOf(outcome.kind) + 1);
  if (outcome.kind === 'applied') {
    writeNumber(writer, 2, outcome.revision);
    writeBool(writer, 3, outcome.changed);
    writeBool(writer, 4, outcome.branch === 'else');
  } else if (outcome.kind !== 'unknown') {
    writeString(writer, 5, outcome.kind === 'rejected' ? outcome.code : outcome.reason);
    writeString(writer, 6, outcome.message);
  }
}

export const decodeProposeResponse = (bytes: Uint8Array): readonly WireOutcome[] =>
  decodeWith(bytes, 'a propose response', (reader, end) => {
    const outcomes: WireOutcome[] = [];
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === lengthTag(1)) outcomes.push(readMessage(reader, readOutcome));
      else skipField(reader, tag);
    }
    return outcomes;
  });

function readOutcome(reader: Reader, end: number): WireOutcome {
  const fields = { kind: 0, revision: 0, changed: false, isElse: false, word: '', message: '' };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === numberTag(1)) fields.kind = readSafeInteger(reader);
    else if (tag === numberTag(2)) fields.revision = readSafeInteger(reader);
    else if (tag === numberTag(3)) fields.changed = reader.bool();
    else if (tag === numberTag(4)) fields.isElse = reader.bool();
    else if (tag === lengthTag(5)) fields.word = reader.string();
    else if (tag === lengthTag(6)) fields.message = reader.string();
    else skipField(reader, tag);
  }
  return outcomeOf(fields);
}

function outcomeOf(fields: {
  kind: number;
  revision: number;
  changed: boolean;
  isElse: boolean;
  word: string;
  message: string;
}): WireOutcome {
  const { revision, changed, word, message } = fields;
  switch (kinds[fields.kind - 1]) {
    case 'applied':
      return { kind: 'applied', revision, changed, branch: fields.isElse ? 'else' : 'then' };
    case 'rejected':
      return { kind: 'rejected', code: word, message };
    case 'refused':
      return { kind: 'refused', reason: word, message };
    case 'unknown':
      return { kind: 'unknown' };
    default:
      throw new RangeError(`unknown outcome ${fields.kind}`);
  }
}

/** A small body of texts and numbers: fields 1.. are texts, 11.. are numbers. */
export interface Fields {
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
  /** One embedded message of another codec; empty when there is none. */
  readonly body: Uint8Array;
}

const firstNumberField = 11;
const bodyField = 20;

/** Administrative calls (join, leave, handshake): at most 10 texts and 9 numbers. */
export function encodeFields(fields: Partial<Fields>): Uint8Array {
  const writer = createWriter();
  for (const [i, text] of (fields.texts ?? []).entries()) writeString(writer, i + 1, text);
  for (const [i, number] of (fields.numbers ?? []).entries()) {
    writePresentNumber(writer, firstNumberField + i, number);
  }
  writeBytes(writer, bodyField, fields.body ?? new Uint8Array());
  return writer.finish();
}

export const decodeFields = (bytes: Uint8Array): Fields =>
  decodeWith(bytes, 'a call', (reader, end) => {
    const texts: string[] = Array.from({ length: 10 }, () => '');
    const numbers: number[] = Array.from({ length: 9 }, () => 0);
    let body: Uint8Array = new Uint8Array();
    while (reader.pos < end) {
      const tag = reader.uint32();
      const field = tag >>> 3;
      if (tag === lengthTag(bodyField)) body = reader.bytes();
      else if (field <= 10 && tag === lengthTag(field)) texts[field - 1] = reader.string();
      else if (tag === numberTag(field) && field >= firstNumberField && field < bodyField) {
        numbers[field - firstNumberField] = readSafeInteger(reader);
      } else skipField(reader, tag);
    }
    return { texts, numbers, body };
  });
