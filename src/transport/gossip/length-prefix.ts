import { socketLimits } from './gossip-sockets.ts';

const PREFIX_BYTES = 4;

/** A message as it goes over TCP: its length as u32, most significant byte first, then itself. */
export function withLengthPrefix(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(PREFIX_BYTES + bytes.length);
  new DataView(framed.buffer).setUint32(0, bytes.length);
  framed.set(bytes, PREFIX_BYTES);
  return framed;
}

/** Collects one length-prefixed message; holds no more than what has arrived. */
export class MessageReader {
  readonly #chunks: Uint8Array[] = [];
  #received = 0;
  #expected: number | null = null;

  /** The message once it is whole, null before; throws RangeError when it is too long. */
  push(chunk: Uint8Array): Uint8Array | null {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#received < PREFIX_BYTES) return null;
    this.#expected ??= this.#readLength();
    if (this.#received < PREFIX_BYTES + this.#expected) return null;
    return Buffer.concat(this.#chunks).subarray(PREFIX_BYTES, PREFIX_BYTES + this.#expected);
  }

  #readLength(): number {
    const length = Buffer.concat(this.#chunks).readUInt32BE(0);
    if (length > socketLimits.exchangeBytesMax)
      throw new RangeError(`message of ${length} bytes, above ${socketLimits.exchangeBytesMax}`);
    return length;
  }
}
