import { asNodeId } from '../shared/index.ts';
import type { NodeId } from '../shared/index.ts';
import { lengthTag, readSafeInteger } from './protobuf.ts';
import type { Reader, Writer } from './protobuf.ts';

/** Bounds of what a peer may say; a frame beyond one of them is refused whole. */
export const gossipLimits = {
  nodeIdBytesMax: 64,
  zoneBytesMax: 64,
  addressBytesMax: 260,
  /** Epochs are Unix milliseconds or a little above; the rest is room to refute. */
  epochMax: 2 ** 48,
  counterMax: 2 ** 48,
  samplesMax: 10,
  overdueMax: 200_000,
  /** One side of an exchange. */
  exchangeBytesMax: 8 * 1024 * 1024,
} as const;

export function readText(reader: Reader, bytesMax: number): string {
  const start = reader.pos;
  const bytes = reader.uint32();
  if (bytes > bytesMax) throw new RangeError(`text of ${bytes} bytes, above ${bytesMax}`);
  if (reader.pos + bytes > reader.len) throw new RangeError('text is cut');
  reader.pos = start;
  return reader.string();
}

export function readNodeId(reader: Reader): NodeId {
  const text = readText(reader, gossipLimits.nodeIdBytesMax);
  if (text === '') throw new RangeError('empty node id');
  return asNodeId(text);
}

export function readUpTo(reader: Reader, max: number, what: string): number {
  const value = readSafeInteger(reader);
  if (value > max) throw new RangeError(`${what} ${value} is above ${max}`);
  return value;
}

export const readEpoch = (reader: Reader): number =>
  readUpTo(reader, gossipLimits.epochMax, 'epoch');

export const readCounter = (reader: Reader): number =>
  readUpTo(reader, gossipLimits.counterMax, 'counter');

/** A packed column of numbers. */
export function readColumn(reader: Reader, countMax: number): number[] {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('column is cut');
  const values: number[] = [];
  while (reader.pos < end) {
    if (values.length === countMax) throw new RangeError(`column of more than ${countMax} values`);
    values.push(readSafeInteger(reader));
  }
  if (reader.pos !== end) throw new RangeError('column ends inside a number');
  return values;
}

export function writeColumn(writer: Writer, field: number, values: readonly number[]): void {
  if (values.length > 0) writer.uint32(lengthTag(field)).bytes(packVarints(values));
}

/** Bytes of a varint; for values below 2^53. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function packVarints(values: readonly number[]): Uint8Array {
  let length = 0;
  for (const value of values) length += varintBytes(value);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const value of values) {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 0x80;
    bytes[at++] = rest;
  }
  return bytes;
}
