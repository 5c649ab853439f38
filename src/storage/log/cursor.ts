import { fromUtf8 } from '../../shared/index.ts';

const TWO_TO_32 = 0x1_0000_0000;
const encoder = new TextEncoder();

/** A growing buffer that values are written into one after the other, little endian. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  position = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes; call it before a row of puts. */
  reserve(count: number): void {
    if (this.position + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.position + count, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  putU8(value: number): void {
    this.view.setUint8(this.position, value);
    this.position += 1;
  }

  putU32(value: number): void {
    this.view.setUint32(this.position, value, true);
    this.position += 4;
  }

  /** A safe integer, in eight bytes. */
  putInteger(value: number): void {
    this.view.setUint32(this.position, value % TWO_TO_32, true);
    this.view.setUint32(this.position + 4, Math.floor(value / TWO_TO_32), true);
    this.position += 8;
  }

  putRaw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Length and content; reserves for itself. */
  putBytes(bytes: Uint8Array): void {
    this.reserve(4 + bytes.length);
    this.putU32(bytes.length);
    this.putRaw(bytes);
  }

  putText(text: string): void {
    this.putBytes(encoder.encode(text));
  }
}

/** Reads what `ByteWriter` wrote; throws RangeError behind the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    this.#position += 1;
    return this.#view.getUint8(this.#position - 1);
  }

  u32(): number {
    this.#position += 4;
    return this.#view.getUint32(this.#position - 4, true);
  }

  integer(): number {
    const low = this.u32();
    const value = this.u32() * TWO_TO_32 + low;
    if (!Number.isSafeInteger(value)) throw new RangeError(`Integer ${value} is too large`);
    return value;
  }

  /** A view into the bytes that are read, not a copy. */
  raw(length: number): Uint8Array {
    const end = this.#position + length;
    if (end > this.#bytes.length) throw new RangeError(`Ends ${end} bytes in: too short`);
    const found = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return found;
  }

  bytes(): Uint8Array {
    return this.raw(this.u32());
  }

  text(): string {
    return fromUtf8(this.bytes());
  }
}
