import { createHash } from 'node:crypto';

/** Lines that stay for a person who looks at a failure. */
const TAIL_LINES = 4_000;

/** What happened, in order: the newest lines to read, all of them as one hash to compare. */
export class Trace {
  readonly #hash = createHash('sha256');
  #tail: string[] = [];
  #count = 0;

  note(line: string): void {
    this.#count++;
    this.#hash.update(line).update('\n');
    this.#tail.push(line);
    if (this.#tail.length >= 2 * TAIL_LINES) this.#tail = this.#tail.slice(-TAIL_LINES);
  }

  get lineCount(): number {
    return this.#count;
  }

  /** The newest lines, oldest first. */
  tail(count: number): readonly string[] {
    return this.#tail.slice(-count);
  }

  /** Of all lines so far. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }
}
