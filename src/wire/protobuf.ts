import protobuf from 'protobufjs/minimal.js';
import type { Reader as ProtobufReader, Writer as ProtobufWriter } from 'protobufjs/minimal.js';
import { assert, QuorateError } from '../shared/index.ts';

export type Reader = ProtobufReader;
export type Writer = ProtobufWriter;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** Tag of a number or bool field. */
export const numberTag = (field: number): number => (field << 3) | VARINT;
/** Tag of a string, bytes or message field. */
export const lengthTag = (field: number): number => (field << 3) | LENGTH_DELIMITED;

export const createWriter = (): Writer => protobuf.Writer.create();

/**
 * Runs `read` over the whole of `bytes`. Any failure becomes QuorateError PARAM_INVALID naming
 * `what`, except broken invariants of our own. Byte fields are views of `bytes`, not copies.
 */
export function decodeWith<T>(
  bytes: Uint8Array,
  what: string,
  read: (reader: Reader, end: number) => T,
): T {
  // Not Reader.create: its Buffer variant cuts a string that ends beyond the input, and says nothing.
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return read(new protobuf.Reader(view), view.length);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError(
      'PARAM_INVALID',
      `Cannot decode ${bytes.length} bytes as ${what}: ${found}`,
      {
        cause,
      },
    );
  }
}

/** Reads an embedded message: its length, then `read` up to its end. */
export function readMessage<T>(reader: Reader, read: (reader: Reader, end: number) => T): T {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError(`message ends at ${end}, beyond ${reader.len}`);
  const value = read(reader, end);
  if (reader.pos !== end) throw new RangeError(`message ends at ${end}, read to ${reader.pos}`);
  return value;
}

/** Skips a field that this version does not know. */
export function skipField(reader: Reader, tag: number): void {
  if (tag >>> 3 === 0) throw new RangeError('field number 0');
  reader.skipType(tag & 7);
}

/** Reads a varint as a plain number; refuses what is beyond 2^53 - 1. Never makes a Long. */
export function readSafeInteger(reader: Reader): number {
  let value = 0;
  let scale = 1;
  for (let length = 1; length <= 8; length++) {
    if (reader.pos >= reader.len) throw new RangeError(`number cut at ${reader.len}`);
    const byte = reader.buf[reader.pos++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
      return value;
    }
    scale *= 128;
  }
  throw new RangeError('number is longer than 8 bytes');
}

const UINT32_END = 0x1_0000_0000;

/** Writes a number field; 0 is the default and takes no bytes. Asserts a safe integer. */
export function writeNumber(writer: Writer, field: number, value: number): void {
  if (value !== 0) writePresentNumber(writer, field, value);
}

/** As writeNumber, but 0 is written too: for optional fields. */
export function writePresentNumber(writer: Writer, field: number, value: number): void {
  const isSafe = Number.isSafeInteger(value) && value >= 0;
  if (!isSafe) assert(false, `Field ${field} must be a safe integer, got ${value}`);
  writer.uint32(numberTag(field));
  if (value < UINT32_END) writer.uint32(value);
  else writer.uint64(value);
}

export function writeBool(writer: Writer, field: number, value: boolean): void {
  if (value) writer.uint32(numberTag(field)).bool(true);
}

export function writeString(writer: Writer, field: number, value: string): void {
  if (value !== '') writer.uint32(lengthTag(field)).string(value);
}

export function writeBytes(writer: Writer, field: number, value: Uint8Array): void {
  if (value.length > 0) writer.uint32(lengthTag(field)).bytes(value);
}
