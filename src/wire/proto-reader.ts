import { fromUtf8 } from '../shared/index.ts';

const VARINT = 0;
const DELIMITED = 2;
const EMPTY = new Uint8Array(0);

/**
 * Reads protobuf messages made of varints and length-delimited fields. Total: whatever the bytes,
 * it never throws and never reads outside them. What does not fit sets `failed`, for good, and ends
 * every message; the caller looks at `failed` once, after the outermost loop. Integers above
 * 2^53 - 1 do not fit.
 */
export class ProtoReader {
  failed = false;
  readonly #source: Uint8Array;
  #position = 0;
  #end: number;
  #wireType = VARINT;

  constructor(source: Uint8Array) {
    // Views of a Buffer would be Buffers, which are slower and whose slice() does not copy.
    this.#source =
      source.constructor === Uint8Array
        ? source
        : new Uint8Array(source.buffer, source.byteOffset, source.length);
    this.#end = source.length;
  }

  /** Number of the next field of the current message; 0 at its end and after a failure. */
  nextField(): number {
    if (this.failed || this.#position >= this.#end) return 0;
    const tag = this.#varint();
    this.#wireType = tag & 7;
    const known = this.#wireType === VARINT || this.#wireType === DELIMITED;
    if (tag > 0xffff || tag < 8 || !known) return this.fail(0);
    return tag >>> 3;
  }

  uint(): number {
    return this.#wireType === VARINT ? this.#varint() : this.fail(0);
  }

  /** Zigzag-coded signed integer. */
  sint(): number {
    const coded = this.uint();
    return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  /** A view of the source, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length();
    this.#position += length;
    return length === 0 ? EMPTY : this.#source.subarray(this.#position - length, this.#position);
  }

  /** UTF-8 text; what is not UTF-8 becomes U+FFFD. */
  string(): string {
    const bytes = this.bytes();
    return asciiText(bytes) ?? fromUtf8(bytes);
  }

  /** Goes into a nested message; give the result to `leave` when `nextField` has returned 0. */
  enter(): number {
    const outerEnd = this.#end;
    const length = this.#length();
    this.#end = this.#position + length;
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  /** A nested message; `read` goes on until `nextField` returns 0. */
  message<T>(read: (reader: ProtoReader) => T): T {
    const outerEnd = this.enter();
    const value = read(this);
    this.leave(outerEnd);
    return value;
  }

  /** Passes over a field that this version does not know. */
  skip(): void {
    if (this.#wireType === VARINT) this.#varint();
    else this.bytes();
  }

  /** Visits the numbers of a packed repeated field. */
  packed(visit: (value: number) => void): void {
    const outerEnd = this.enter();
    while (!this.failed && this.#position < this.#end) visit(this.#varint());
    this.leave(outerEnd);
  }

  /** Marks the message as unusable. Returns `instead`. */
  fail<T>(instead: T): T {
    this.failed = true;
    return instead;
  }

  #length(): number {
    if (this.#wireType !== DELIMITED) return this.fail(0);
    const length = this.#varint();
    return length <= this.#end - this.#position ? length : this.fail(0);
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8 && this.#position < this.#end; count++) {
      const byte = this.#source[this.#position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.fail(0);
      scale *= 0x80;
    }
    return this.fail(0);
  }
}

const asciiBytesMax = 48;

/** Short ASCII text, as ids and addresses are, without the decoder's set-up; else undefined. */
function asciiText(bytes: Uint8Array): string | undefined {
  if (bytes.length > asciiBytesMax) return undefined;
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
