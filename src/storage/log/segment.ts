import { QuorateError } from '../../shared/index.ts';
import { writeFully } from '../files/files.ts';
import type { Files, OpenFile } from '../files/files.ts';
import { damaged } from './damage.ts';

const NAME = /^log-([0-9a-f]{16})\.seg$/;

export const segmentName = (sequence: number): string =>
  `log-${sequence.toString(16).padStart(16, '0')}.seg`;

/** The sequence in a segment's file name; null for other files. */
export function sequenceOf(name: string): number | null {
  const digits = NAME.exec(name)?.[1];
  const sequence = digits === undefined ? NaN : Number.parseInt(digits, 16);
  return Number.isSafeInteger(sequence) ? sequence : null;
}

/** Writing goes to this until the file is renamed into place. */
export const unfinishedName = (sequence: number): string => `${segmentName(sequence)}.new`;

export const isUnfinished = (name: string): boolean => name.endsWith('.seg.new');

interface SegmentFile {
  readonly sequence: number;
  readonly path: string;
  readonly bytes: number;
  readonly file: OpenFile;
}

/** One file of the log, open for durable writes and for reads. */
export class Segment {
  readonly sequence: number;
  readonly path: string;
  /** Size of the file. */
  readonly bytes: number;
  readonly #file: OpenFile;
  #readers = 0;
  #isRetired = false;

  static async open(
    files: Files,
    path: string,
    sequence: number,
    mode: 'durable' | 'read' = 'durable',
  ): Promise<Segment> {
    const bytes = await files.sizeOf(path);
    if (bytes === null) throw damaged({ path, offset: 0 }, 'the segment is missing');
    return new Segment({ sequence, path, bytes, file: await files.open(path, mode) });
  }

  private constructor({ sequence, path, bytes, file }: SegmentFile) {
    this.sequence = sequence;
    this.path = path;
    this.bytes = bytes;
    this.#file = file;
  }

  /** Durable when it resolves. One at a time. */
  write(offset: number, bytes: Uint8Array): Promise<void> {
    return writeFully(this.#file, offset, bytes);
  }

  /** Exactly `length` bytes, maybe in `into`; a shorter file is damage. */
  async read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    if (this.#isRetired) {
      throw new QuorateError('NOT_FOUND', `Cannot read ${this.path} as a segment: it was cut away`);
    }
    this.#readers++;
    try {
      const bytes = await this.#file.read(offset, length, into);
      if (bytes.length === length) return bytes;
      throw damaged(
        { path: this.path, offset },
        `the file ends after ${bytes.length} of ${length} bytes`,
      );
    } finally {
      this.#readers--;
      await this.#closeWhenUnused();
    }
  }

  /** No reads begin any more; the file is closed when the last one has ended. */
  async retire(): Promise<void> {
    if (this.#isRetired) return;
    this.#isRetired = true;
    await this.#closeWhenUnused();
  }

  async #closeWhenUnused(): Promise<void> {
    if (this.#isRetired && this.#readers === 0) await this.#file.close();
  }
}
