import { crc32 } from 'node:zlib';

import { QuorateError } from '../../shared/index.ts';

/**
 * Everything in a snapshot file is a frame (numbers little-endian):
 * kind u32, number u32, row count u32, body length u32, body, CRC-32 u32 of all before it (the one
 * of zlib: for bytes by the megabyte native code is six times as fast as our CRC-32C).
 */
export interface Frame {
  readonly kind: FrameKind;
  /** 0 is the header, 1... are chunks of rows; of the trailer: how many frames came before it. */
  readonly number: number;
  /** Of the trailer: all rows. */
  readonly rowCount: number;
  readonly body: Uint8Array;
}

export type FrameKind = keyof typeof KIND_CODES;

const KIND_CODES = { header: 0x31485351, rows: 0x31435351, trailer: 0x31545351 } as const;

export const FRAME_HEAD_BYTES = 16;
export const CHECKSUM_BYTES = 4;
/** Bounds what a reader takes into memory; rows are far smaller than this. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;

export function encodeFrame(frame: Omit<Frame, 'body'>, body: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  const bytes = Buffer.concat([head, ...body, Buffer.alloc(CHECKSUM_BYTES)]);
  return sealFrame(frame, bytes);
}

/** Fills in head and checksum around a body that lies in its place already. */
export function sealFrame(frame: Omit<Frame, 'body'>, bytes: Buffer): Buffer {
  const checked = bytes.length - CHECKSUM_BYTES;
  bytes.writeUInt32LE(KIND_CODES[frame.kind], 0);
  bytes.writeUInt32LE(frame.number, 4);
  bytes.writeUInt32LE(frame.rowCount, 8);
  bytes.writeUInt32LE(checked - FRAME_HEAD_BYTES, 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, checked)), checked);
  return bytes;
}

/** Length of the whole frame that begins with `head`; null when no frame begins so. */
export function frameLength(head: Uint8Array): number | null {
  if (head.length < FRAME_HEAD_BYTES || kindOf(head) === null) return null;
  const length = FRAME_HEAD_BYTES + viewOf(head).getUint32(12, true) + CHECKSUM_BYTES;
  return length <= FRAME_BYTES_MAX ? length : null;
}

/** Throws STORAGE_DAMAGED unless `bytes` are exactly the wanted frame. */
export function decodeFrame(bytes: Uint8Array, kind: FrameKind, number: number): Frame {
  const wanted = kind === 'rows' ? `chunk ${number}` : `the ${kind}`;
  if (frameLength(bytes) !== bytes.length) throw damaged(wanted, 'its length is wrong');
  const view = viewOf(bytes);
  const checked = bytes.length - CHECKSUM_BYTES;
  if (view.getUint32(checked, true) !== crc32(bytes.subarray(0, checked))) {
    throw damaged(wanted, 'its checksum is wrong');
  }
  const foundKind = kindOf(bytes);
  const foundNumber = view.getUint32(4, true);
  if (foundKind !== kind || foundNumber !== number) {
    throw damaged(wanted, `${foundKind ?? 'nothing'} ${foundNumber} is in its place`);
  }
  const body = bytes.subarray(FRAME_HEAD_BYTES, checked);
  return { kind, number, rowCount: view.getUint32(8, true), body };
}

export const damaged = (wanted: string, found: string): QuorateError =>
  new QuorateError('STORAGE_DAMAGED', `Cannot read ${wanted} of a snapshot: ${found}`);

function kindOf(head: Uint8Array): FrameKind | null {
  const code = viewOf(head).getUint32(0, true);
  for (const kind of ['rows', 'header', 'trailer'] as const) {
    if (KIND_CODES[kind] === code) return kind;
  }
  return null;
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
