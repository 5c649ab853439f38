import { asNodeId, utf8 } from '../shared/index.ts';
import type { NodeId } from '../shared/index.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

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

export function readText(reader: ProtoReader, bytesMax: number): string {
  const text = reader.string();
  // A UTF-16 unit takes at most 3 bytes: most texts need no counting.
  if (text.length * 3 > bytesMax && utf8(text).length > bytesMax)
    throw new RangeError(`text above ${bytesMax} bytes`);
  return text;
}

export function readNodeId(reader: ProtoReader): NodeId {
  const text = readText(reader, gossipLimits.nodeIdBytesMax);
  if (text === '') throw new RangeError('empty node id');
  return asNodeId(text);
}

export function readUpTo(reader: ProtoReader, max: number, what: string): number {
  const value = reader.uint();
  if (value > max) throw new RangeError(`${what} ${value} is above ${max}`);
  return value;
}

export const readEpoch = (reader: ProtoReader): number =>
  readUpTo(reader, gossipLimits.epochMax, 'epoch');

export const readCounter = (reader: ProtoReader): number =>
  readUpTo(reader, gossipLimits.counterMax, 'counter');

/** A packed column of numbers. */
export function readColumn(reader: ProtoReader, countMax: number): number[] {
  const values: number[] = [];
  reader.packed((value) => {
    if (values.length === countMax) throw new RangeError(`column of more than ${countMax} values`);
    values.push(value);
  });
  return values;
}

export function writeColumn(writer: ProtoWriter, field: number, values: readonly number[]): void {
  if (values.length > 0) writer.presentBytes(field, packVarints(values));
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
