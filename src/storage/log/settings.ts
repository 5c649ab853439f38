import { assert } from '../../shared/index.ts';

/** Records begin on multiples of this. */
export const BLOCK_BYTES = 4096;

export interface LogSettings {
  /** Size of each segment file; a multiple of 4096. */
  readonly segmentBytes: number;
  /** Most bytes of one record, so of one write; a multiple of 4096. */
  readonly recordBytesMax: number;
  /** How many segments lie prepared beyond the one in use. */
  readonly spareSegments: number;
}

/** Disk space that no spare segment is made from: the state needs it when a disk fills up. */
export const RESERVE_BYTES = 64 * 1024 * 1024;
/** There is room again, and room to begin something large, when so many times the least is free. */
export const ROOMY_FACTOR = 1.5;

export const defaultLogSettings: LogSettings = {
  segmentBytes: 64 * 1024 * 1024,
  recordBytesMax: 4 * 1024 * 1024,
  spareSegments: 2,
};

/** The last block of a segment is kept for its seal. */
export const sealOffset = (segmentBytes: number): number => segmentBytes - BLOCK_BYTES;

export const roundUpToBlock = (bytes: number): number =>
  Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;

/** A segment must hold its header (64 KiB are enough for any configuration) and one full record. */
export function checkSettings({ segmentBytes, recordBytesMax, spareSegments }: LogSettings): void {
  assert(segmentBytes % BLOCK_BYTES === 0, `Segments of ${segmentBytes} bytes are whole blocks`);
  assert(recordBytesMax % BLOCK_BYTES === 0, `Records of ${recordBytesMax} bytes are whole blocks`);
  assert(recordBytesMax >= BLOCK_BYTES, `Records of ${recordBytesMax} bytes hold a block`);
  assert(
    recordBytesMax + 2 * BLOCK_BYTES <= segmentBytes,
    `A record of ${recordBytesMax} bytes fits in a segment of ${segmentBytes} bytes`,
  );
  assert(spareSegments >= 1, `At least one spare segment: ${spareSegments}`);
}
