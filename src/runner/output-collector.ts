/** Keeps the first `limit` bytes of a stream and counts on nobody to send less. */
export class OutputCollector {
  readonly #limit: number;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Uint8Array): void {
    const room = this.#limit - this.#length;
    if (room <= 0) return;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    // A copy: a slice would keep the whole 64 KiB read buffer alive.
    this.#chunks.push(Uint8Array.from(kept));
    this.#length += kept.length;
  }

  /** The text so far; a character that the limit cut in two is left out. */
  text(): string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return decoder.decode(Buffer.concat(this.#chunks), { stream: this.#length >= this.#limit });
  }
}
