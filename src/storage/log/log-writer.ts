import type { LogIdentity } from '../../raft/index.ts';
import { assert, firstOf } from '../../shared/index.ts';
import { putSeal } from './bodies.ts';
import type { ByteWriter } from './cursor.ts';
import type { LogState } from './log-state.ts';
import type { ReadableSegment } from './log-reader.ts';
import { RecordBuilder, recordBytes } from './record.ts';
import type { BuiltRecord, RecordKind } from './record.ts';
import type { RecordLocation } from './record-index.ts';
import type { Recovery } from './recovery.ts';
import type { Segment } from './segment.ts';
import { buildSegmentHeader } from './segment-header.ts';
import { roundUpToBlock, sealOffset } from './settings.ts';
import type { SpareSegments } from './spares.ts';

/** Appends chained records to the segments, one at a time. */
export class LogWriter {
  readonly #identity: LogIdentity;
  readonly #state: LogState;
  readonly #spares: SpareSegments;
  readonly #builder = new RecordBuilder();
  /** In use, oldest first, without gaps in their sequences. */
  readonly #segments: Segment[];
  #active: Segment;
  /** Where in the active segment the next record goes, and what it follows. */
  #offset: number;
  #chain: number;

  constructor({ recovered, state, segments, end }: Recovery, spares: SpareSegments) {
    const active = segments.at(-1);
    assert(active !== undefined, 'A log has a segment in use');
    this.#identity = recovered.identity;
    this.#state = state;
    this.#spares = spares;
    this.#segments = segments;
    this.#active = active;
    this.#offset = end.offset;
    this.#chain = end.chain;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** A segment in use, with the end of its durable records. */
  readable(sequence: number): ReadableSegment | null {
    const segment = this.#segments[sequence - firstOf(this.#segments).sequence];
    if (!segment) return null;
    return { segment, end: segment === this.#active ? this.#offset : sealOffset(segment.bytes) };
  }

  /** The oldest segment if its sequence is below `sequence` and it is not the one in use. */
  takeOldestBelow(sequence: number): Segment | null {
    const [oldest] = this.#segments;
    if (!oldest || oldest === this.#active || oldest.sequence >= sequence) return null;
    this.#segments.shift();
    return oldest;
  }

  /** Makes what `fill` puts the next record; durable when it resolves. */
  async append(kind: RecordKind, fill: (body: ByteWriter) => void): Promise<RecordLocation> {
    fill(this.#builder.begin());
    const bytes = roundUpToBlock(recordBytes(this.#builder.bodyBytes));
    if (this.#offset + bytes > sealOffset(this.#active.bytes)) await this.#activateNext();
    const { sequence } = this.#active;
    const offset = this.#offset;
    assert(offset + bytes <= sealOffset(this.#active.bytes), `${bytes} bytes fit in a segment`);
    const record = this.#builder.finish(kind, { sequence, offset, previousChain: this.#chain });
    await this.#active.write(offset, record.bytes);
    this.#offset = offset + bytes;
    this.#chain = record.chain;
    return { sequence, offset, bytes };
  }

  /**
   * First the header of the new segment, then the seal of the old one: so a seal proves that its
   * successor existed, and without a seal nothing in a successor was ever acknowledged.
   */
  async #activateNext(): Promise<void> {
    const next = await this.#spares.take();
    const header = buildSegmentHeader(
      { identity: this.#identity, segmentBytes: next.bytes, head: this.#state.head },
      { sequence: next.sequence, previousChain: this.#chain },
    );
    await next.write(0, header.bytes);
    await this.#active.write(sealOffset(this.#active.bytes), this.#buildSeal().bytes);
    this.#segments.push(next);
    this.#active = next;
    this.#offset = header.bytes.length;
    this.#chain = header.chain;
    this.#spares.prepare();
  }

  #buildSeal(): BuiltRecord {
    const { sequence, bytes } = this.#active;
    const builder = new RecordBuilder();
    putSeal(builder.begin(), this.#offset);
    return builder.finish('seal', {
      sequence,
      offset: sealOffset(bytes),
      previousChain: this.#chain,
    });
  }
}
