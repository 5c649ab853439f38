import type { Frame } from './frames.ts';
import { UNFLUSHED_BYTES_MAX, UNFLUSHED_FRAMES_MAX } from './limits.ts';

interface FrameSink {
  write(frame: Frame, flushed: () => void): void;
}

/**
 * Counts what a stream has not handed to its socket yet. While frames wait there, further items
 * gather into the next one: the busier the link, the fewer frames.
 */
export class FrameWriter {
  readonly #sink: FrameSink;
  readonly #onFlushed: () => void;
  #frames = 0;
  #bytes = 0;

  constructor(sink: FrameSink, onFlushed: () => void) {
    this.#sink = sink;
    this.#onFlushed = onFlushed;
  }

  get hasRoom(): boolean {
    return this.#frames < UNFLUSHED_FRAMES_MAX && this.#bytes < UNFLUSHED_BYTES_MAX;
  }

  /** `bytes`: about how large the frame is. */
  write(frame: Frame, bytes: number): void {
    this.#frames++;
    this.#bytes += bytes;
    this.#sink.write(frame, () => {
      this.#frames--;
      this.#bytes -= bytes;
      this.#onFlushed();
    });
  }
}
