import { decodeWith } from './decode-with.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';
import { writerFor } from './writer-for.ts';

/** Bodies of the calls between peers: messages of proto/call.proto. */

/** Room beside what a message embeds. */
const smallBytes = 64;
/** At most what tag and length of an embedded field take. */
const fieldBytes = 8;

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
  let contentBytes = 0;
  for (const envelope of envelopes) contentBytes += envelope.length + fieldBytes;
  const writer = writerFor(contentBytes + smallBytes);
  for (const envelope of envelopes) writer.presentBytes(1, envelope);
  return writer.take();
}

export const decodeProposeRequest = (bytes: Uint8Array): readonly Uint8Array[] =>
  decodeWith(bytes, 'a propose request', (reader) => {
    const envelopes: Uint8Array[] = [];
    for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
      if (field === 1) envelopes.push(reader.bytes());
      else reader.skip();
    }
    return envelopes;
  });

export function encodeProposeResponse(outcomes: readonly WireOutcome[]): Uint8Array {
  const writer = writerFor(smallBytes);
  for (const outcome of outcomes) {
    const mark = writer.begin(1, 16);
    writeOutcome(writer, outcome);
    writer.end(mark);
  }
  return writer.take();
}

function writeOutcome(writer: ProtoWriter, outcome: WireOutcome): void {
  writer.uint(1, kinds.indexOf(outcome.kind) + 1);
  if (outcome.kind === 'applied') {
    writer.uint(2, outcome.revision);
    writer.bool(3, outcome.changed);
    writer.bool(4, outcome.branch === 'else');
  } else if (outcome.kind !== 'unknown') {
    writer.string(5, outcome.kind === 'rejected' ? outcome.code : outcome.reason);
    writer.string(6, outcome.message);
  }
}

export const decodeProposeResponse = (bytes: Uint8Array): readonly WireOutcome[] =>
  decodeWith(bytes, 'a propose response', (reader) => {
    const outcomes: WireOutcome[] = [];
    for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
      if (field === 1) outcomes.push(reader.message(readOutcome));
      else reader.skip();
    }
    return outcomes;
  });

function readOutcome(reader: ProtoReader): WireOutcome {
  const fields = { kind: 0, revision: 0, changed: false, isElse: false, word: '', message: '' };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) fields.kind = reader.uint();
    else if (field === 2) fields.revision = reader.uint();
    else if (field === 3) fields.changed = reader.bool();
    else if (field === 4) fields.isElse = reader.bool();
    else if (field === 5) fields.word = reader.string();
    else if (field === 6) fields.message = reader.string();
    else reader.skip();
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
  const writer = writerFor(smallBytes);
  for (const [i, text] of (fields.texts ?? []).entries()) writer.string(i + 1, text);
  for (const [i, number] of (fields.numbers ?? []).entries()) {
    writer.presentUint(firstNumberField + i, number);
  }
  writer.bytes(bodyField, fields.body ?? new Uint8Array());
  return writer.take();
}

export const decodeFields = (bytes: Uint8Array): Fields =>
  decodeWith(bytes, 'a call', (reader) => {
    const texts: string[] = Array.from({ length: 10 }, () => '');
    const numbers: number[] = Array.from({ length: 9 }, () => 0);
    let body: Uint8Array = new Uint8Array();
    for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
      if (field === bodyField) body = reader.bytes();
      else if (field < firstNumberField) texts[field - 1] = reader.string();
      else if (field < bodyField) {
        numbers[field - firstNumberField] = reader.uint();
      } else reader.skip();
    }
    return { texts, numbers, body };
  });
