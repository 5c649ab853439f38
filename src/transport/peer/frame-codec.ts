import { ProtoReader } from '../../wire/index.ts';
import type { CallFailure, CallRequest, CallResponse, Frame, Hello } from './frames.ts';
import { ProtocolError } from './inbound.ts';
import { GATHER_ITEMS_MAX, HELLO_TEXT_CHARS_MAX } from './limits.ts';

/**
 * Reads message Frame of proto/peer.proto. Anyone may send one before it is known who that is: so
 * that nobody can have millions of objects built from 16 MiB, items are counted as they are read.
 */

const noBytes: Uint8Array = new Uint8Array(0);
/** Of a body that this version does not know. Nobody serves it. */
const noBody = Object.freeze({}) as Frame;

/** Absent fields read as '', 0, [], null or empty bytes. Bytes are views. Throws ProtocolError. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const reader = new ProtoReader(bytes);
  let frame = noBody;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    const readBody = bodyReaders[field];
    if (readBody === undefined) reader.skip();
    else if (frame === noBody) frame = reader.message(readBody);
    else throw new ProtocolError('it sends a frame with more than one body');
  }
  if (reader.failed) throw new ProtocolError('it sends a frame that cannot be read');
  return frame;
}

function readHello(reader: ProtoReader): Hello {
  const hello = { version: 0, cluster: '', from: '', to: '', address: '' };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) hello.version = reader.uint();
    else if (field === 2) hello.cluster = readHelloText(reader);
    else if (field === 3) hello.from = readHelloText(reader);
    else if (field === 4) hello.to = readHelloText(reader);
    else if (field === 5) hello.address = readHelloText(reader);
    else reader.skip();
  }
  return hello;
}

/** Refusals quote it, the log keeps it. */
function readHelloText(reader: ProtoReader): string {
  const text = reader.string();
  if (text.length <= HELLO_TEXT_CHARS_MAX) return text;
  throw new ProtocolError(`its hello has a text of more than ${HELLO_TEXT_CHARS_MAX} characters`);
}

/** The one repeated field of a body. No more items than any sender gathers into one frame. */
function readItems<T>(reader: ProtoReader, what: string, read: (reader: ProtoReader) => T): T[] {
  const items: T[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field !== 1) reader.skip();
    else if (items.length < GATHER_ITEMS_MAX) items.push(read(reader));
    else throw new ProtocolError(`it sends a frame with more than ${GATHER_ITEMS_MAX} ${what}`);
  }
  return items;
}

const readBytes = (reader: ProtoReader): Uint8Array => reader.bytes();

const readNestedRequest = (reader: ProtoReader): CallRequest => reader.message(readRequest);

function readRequest(reader: ProtoReader): CallRequest {
  const request = { id: 0, method: '', body: noBytes };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) request.id = reader.uint();
    else if (field === 2) request.method = reader.string();
    else if (field === 3) request.body = reader.bytes();
    else reader.skip();
  }
  return request;
}

const readNestedResponse = (reader: ProtoReader): CallResponse => reader.message(readResponse);

function readResponse(reader: ProtoReader): CallResponse {
  const response = { id: 0, body: noBytes, failure: null as CallFailure | null };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) response.id = reader.uint();
    else if (field === 2) response.body = reader.bytes();
    else if (field === 3) response.failure = reader.message(readFailure);
    else reader.skip();
  }
  return response;
}

function readFailure(reader: ProtoReader): CallFailure {
  const failure = { code: '', message: '' };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) failure.code = reader.string();
    else if (field === 2) failure.message = reader.string();
    else reader.skip();
  }
  return failure;
}

function readOffer(reader: ProtoReader): Frame {
  const offer = { term: 0, header: noBytes, resumeKey: '', chunkCount: 0 };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) offer.term = reader.uint();
    else if (field === 2) offer.header = reader.bytes();
    else if (field === 3) offer.resumeKey = reader.string();
    else if (field === 4) offer.chunkCount = reader.uint();
    else reader.skip();
  }
  return { body: 'offer', offer };
}

function readStart(reader: ProtoReader): Frame {
  let chunk = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) chunk = reader.uint();
    else reader.skip();
  }
  return { body: 'start', start: { chunk } };
}

function readChunk(reader: ProtoReader): Frame {
  const chunk = { number: 0, bytes: noBytes };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) chunk.number = reader.uint();
    else if (field === 2) chunk.bytes = reader.bytes();
    else reader.skip();
  }
  return { body: 'chunk', chunk };
}

function readDone(reader: ProtoReader): Frame {
  while (reader.nextField() !== 0) reader.skip();
  return { body: 'done', done: {} };
}

/** By the number of their field. */
const bodyReaders: readonly (((reader: ProtoReader) => Frame) | undefined)[] = [
  undefined,
  (reader) => ({ body: 'hello', hello: readHello(reader) }),
  (reader) => ({ body: 'batch', batch: { messages: readItems(reader, 'messages', readBytes) } }),
  (reader) => ({
    body: 'requests',
    requests: { requests: readItems(reader, 'requests', readNestedRequest) },
  }),
  (reader) => ({
    body: 'responses',
    responses: { responses: readItems(reader, 'responses', readNestedResponse) },
  }),
  readOffer,
  readStart,
  readChunk,
  readDone,
  (reader) => ({ body: 'failure', failure: readFailure(reader) }),
];
