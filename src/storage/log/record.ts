import { assert, crc32c } from '../../shared/index.ts';
import { ByteWriter } from './cursor.ts';
import { BLOCK_BYTES, roundUpToBlock } from './settings.ts';
import { applyMask, chooseMask } from './whitening.ts';

/**
 * Layout of a record, little endian, beginning on a 4 KiB block:
 *
 *      0 u32 magic            20 u32 chain value of the record before
 *      4 u32 CRC-32C of 8..40 24 u32 CRC-32C of the body as stored
 *      8 u16 format version   28 u32 block number in the segment
 *     10 u8  kind             32 u64 sequence of the segment
 *     11 u8  zero             40     body, padded with zeros to eight bytes, XORed with the mask
 *     12 u32 body bytes        +     trailer, eight bytes
 *     16 u32 mask              +     zeros to the end of the block
 *
 * The CRC at 4 covers everything through the CRC of the body: it is the record's chain value.
 */
const MAGIC = 0x474c_5151;
const TRAILER_LOW = 0xa55a_c33c;
const TRAILER_HIGH = 0x3cc3_5aa5;
export const FORMAT_VERSION = 1;
const HEADER_BYTES = 40;
const TRAILER_BYTES = 8;

const kinds = ['segment', 'entries', 'base', 'seal'] as const;
export type RecordKind = (typeof kinds)[number];

/** Where a record goes and what it follows. */
export interface RecordPlace {
  readonly sequence: number;
  /** Byte offset in the segment. */
  readonly offset: number;
  /** Chain value of the record before; 0 for the first of a log. */
  readonly previousChain: number;
}

export interface RecordHeader extends RecordPlace {
  readonly version: number;
  readonly kind: RecordKind | null;
  readonly bodyBytes: number;
  readonly mask: number;
  readonly bodyCrc: number;
  readonly chain: number;
}

/** Bytes from the header to the end of the trailer, for a body that is not padded yet. */
export const recordBytes = (bodyBytes: number): number =>
  HEADER_BYTES + Math.ceil(bodyBytes / 8) * 8 + TRAILER_BYTES;

export interface BuiltRecord {
  /** Whole blocks. */
  readonly bytes: Uint8Array;
  readonly chain: number;
}

/** Builds one record after the other in one buffer that it keeps. */
export class RecordBuilder {
  readonly body = new ByteWriter(16 * 1024);

  /** Bytes of the body so far. */
  get bodyBytes(): number {
    return this.body.position - HEADER_BYTES;
  }

  /** Empties the buffer; the body is written to `body` next. */
  begin(): ByteWriter {
    this.body.position = HEADER_BYTES;
    return this.body;
  }

  /** The finished record, valid until the next `begin`. */
  finish(kind: RecordKind, place: RecordPlace): BuiltRecord {
    const { body } = this;
    const bodyBytes = Math.ceil(this.bodyBytes / 8) * 8;
    const bodyEnd = HEADER_BYTES + bodyBytes;
    const end = roundUpToBlock(bodyEnd + TRAILER_BYTES);
    body.reserve(end - body.position);
    const { bytes, view } = body;
    bytes.fill(0, body.position, end);
    view.setUint32(bodyEnd, TRAILER_LOW, true);
    view.setUint32(bodyEnd + 4, TRAILER_HIGH, true);

    const mask = chooseMask(
      new Uint32Array(bytes.buffer, 0, end / 4),
      HEADER_BYTES / 4,
      bodyEnd / 4,
    );
    applyMask(bytes, mask, HEADER_BYTES, bodyEnd);
    const bodyCrc = crc32c(bytes.subarray(HEADER_BYTES, bodyEnd));
    const chain = putHeader(view, { ...place, kind, bodyBytes, mask, bodyCrc });
    return { bytes: bytes.subarray(0, end), chain };
  }
}

type HeaderFields = RecordPlace & Pick<RecordHeader, 'bodyBytes' | 'mask' | 'bodyCrc'>;

function putHeader(view: DataView, header: HeaderFields & { readonly kind: RecordKind }): number {
  view.setUint32(0, MAGIC, true);
  view.setUint16(8, FORMAT_VERSION, true);
  view.setUint8(10, kinds.indexOf(header.kind));
  view.setUint8(11, 0);
  view.setUint32(12, header.bodyBytes, true);
  view.setUint32(16, header.mask, true);
  view.setUint32(20, header.previousChain, true);
  view.setUint32(24, header.bodyCrc, true);
  view.setUint32(28, header.offset / BLOCK_BYTES, true);
  view.setUint32(32, header.sequence % 0x1_0000_0000, true);
  view.setUint32(36, Math.floor(header.sequence / 0x1_0000_0000), true);
  const chain = crc32c(new Uint8Array(view.buffer, 8, HEADER_BYTES - 8));
  view.setUint32(4, chain, true);
  return chain;
}

/** The header of a record at the start of `bytes`; null when there is none or it is wrong. */
export function readHeader(bytes: Uint8Array): RecordHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) return null;
  const chain = view.getUint32(4, true);
  if (crc32c(bytes.subarray(8, HEADER_BYTES)) !== chain) return null;
  return {
    chain,
    version: view.getUint16(8, true),
    kind: kinds[view.getUint8(10)] ?? null,
    bodyBytes: view.getUint32(12, true),
    mask: view.getUint32(16, true),
    previousChain: view.getUint32(20, true),
    bodyCrc: view.getUint32(24, true),
    offset: view.getUint32(28, true) * BLOCK_BYTES,
    sequence: view.getUint32(36, true) * 0x1_0000_0000 + view.getUint32(32, true),
  };
}

/** Whether the body after the header is whole. */
export function bodyIsWhole(header: RecordHeader, bytes: Uint8Array): boolean {
  const body = bytes.subarray(HEADER_BYTES, HEADER_BYTES + header.bodyBytes);
  return body.length === header.bodyBytes && crc32c(body) === header.bodyCrc;
}

/** The body without its mask, in bytes of its own. */
export const copyBody = (header: RecordHeader, bytes: Uint8Array): Uint8Array =>
  takeBody(header, new Uint8Array(bytes.subarray(0, HEADER_BYTES + header.bodyBytes)));

/** The body without its mask; changes `bytes`, so only once for each buffer. */
export function takeBody(header: RecordHeader, bytes: Uint8Array): Uint8Array {
  const end = HEADER_BYTES + header.bodyBytes;
  assert(end <= bytes.length, `A body of ${header.bodyBytes} bytes lies in the buffer`);
  applyMask(bytes, header.mask, HEADER_BYTES, end);
  return bytes.subarray(HEADER_BYTES, end);
}
