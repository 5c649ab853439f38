import { assert, utf8 } from '../shared/index.ts';

const VARINT = 0;
const DELIMITED = 2;
/** Above it the encoder is faster. */
const asciiCharsMax = 48;

/**
 * Writes protobuf messages (and plain bytes) one after the other into shared chunks: `take` returns
 * what was written since the last `take`. Fields at their default are left out unless the method
 * says otherwise; the same calls always give the same bytes.
 */
export class ProtoWriter {
  #chunk: Uint8Array;
  #start = 0;
  #position = 0;

  /** `capacityBytes`: room of the first chunk; later ones are at least twice as large. */
  constructor(capacityBytes: number) {
    this.#chunk = new Uint8Array(capacityBytes);
  }

  /** The finished message: a view of the chunk, never written again. */
  take(): Uint8Array {
    const message = this.#chunk.subarray(this.#start, this.#position);
    this.#start = this.#position;
    return message;
  }

  /** Left out when 0. */
  uint(field: number, value: number): this {
    return value === 0 ? this : this.presentUint(field, value);
  }

  /** Written even when 0; left out when undefined or null. */
  presentUint(field: number, value: number | null | undefined): this {
    if (value === null || value === undefined) return this;
    this.#reserve(20);
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  /** Zigzag; written even when 0, left out when undefined or null. */
  presentSint(field: number, value: number | null | undefined): this {
    if (value === null || value === undefined) return this;
    return this.presentUint(field, value < 0 ? -2 * value - 1 : 2 * value);
  }

  bool(field: number, value: boolean): this {
    return value ? this.presentUint(field, 1) : this;
  }

  /** Left out when empty. */
  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.presentBytes(field, value);
  }

  presentBytes(field: number, value: Uint8Array): this {
    this.#reserve(20 + value.length);
    this.#varint(field * 8 + DELIMITED);
    this.#varint(value.length);
    return this.raw(value);
  }

  /** Left out when ''. */
  string(field: number, value: string): this {
    if (value === '') return this;
    return this.#ascii(field, value) ? this : this.presentBytes(field, utf8(value));
  }

  /** Opens a nested message; `sizeHint` saves moving it when it is about right. */
  begin(field: number, sizeHint = 0): number {
    this.#reserve(20);
    this.#varint(field * 8 + DELIMITED);
    const lengthBytes = varintBytes(sizeHint);
    this.#position += lengthBytes;
    return (this.#position - this.#start) * 8 + lengthBytes;
  }

  /** Closes the message that `begin` returned the mark of. */
  end(mark: number): void {
    const reserved = mark % 8;
    const bodyStart = this.#start + Math.floor(mark / 8);
    const length = this.#position - bodyStart;
    const shift = varintBytes(length) - reserved;
    if (shift !== 0) {
      this.#reserve(8);
      this.#move(this.#start + Math.floor(mark / 8), shift);
    }
    const end = this.#position;
    this.#position = this.#start + Math.floor(mark / 8) - reserved;
    this.#varint(length);
    this.#position = end;
  }

  /** A single byte without a tag. */
  byte(value: number): this {
    this.#reserve(1);
    this.#chunk[this.#position++] = value;
    return this;
  }

  /** Bytes without tag and length. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    if (value.length < 24) {
      for (let i = 0; i < value.length; i++) this.#chunk[this.#position + i] = value[i] as number;
    } else this.#chunk.set(value, this.#position);
    this.#position += value.length;
    return this;
  }

  /** Writes short ASCII text, as ids and addresses are, in place; false: it is something else. */
  #ascii(field: number, value: string): boolean {
    const { length } = value;
    if (length > asciiCharsMax) return false;
    this.#reserve(20 + length);
    const before = this.#position;
    this.#varint(field * 8 + DELIMITED);
    this.#varint(length);
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        this.#position = before;
        return false;
      }
      this.#chunk[this.#position + i] = code;
    }
    this.#position += length;
    return true;
  }

  #varint(value: number): void {
    const isSafe = Number.isSafeInteger(value) && value >= 0;
    if (!isSafe) assert(false, `Varint must be a safe integer: ${value}`);
    const chunk = this.#chunk;
    let position = this.#position;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      chunk[position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    for (; rest >= 0x80; rest >>>= 7) chunk[position++] = (rest & 0x7f) | 0x80;
    chunk[position++] = rest;
    this.#position = position;
  }

  #move(from: number, shift: number): void {
    this.#chunk.copyWithin(from + shift, from, this.#position);
    this.#position += shift;
  }

  #reserve(byteCount: number): void {
    if (this.#position + byteCount <= this.#chunk.length) return;
    const kept = this.#position - this.#start;
    const wanted = Math.max(Math.min(this.#chunk.length * 2, 65_536), (kept + byteCount) * 2);
    const next = new Uint8Array(wanted);
    next.set(this.#chunk.subarray(this.#start, this.#position));
    this.#chunk = next;
    this.#start = 0;
    this.#position = kept;
  }
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}
