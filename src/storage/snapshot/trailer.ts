import {
  damaged,
  decodeFrame,
  encodeFrame,
  frameLength,
  FRAME_HEAD_BYTES,
  viewOf,
} from './frame.ts';
import type { OpenFile } from '../files/files.ts';

/** What closes a snapshot file: all there is to know for reading any frame of it. */
export interface SnapshotTrailer {
  /** SHA-256 over all frames before the trailer, in hexadecimal. */
  readonly hash: string;
  readonly rowCount: number;
  /** Bytes of each frame before the trailer. */
  readonly frameLengths: readonly number[];
}

const HASH_BYTES = 32;
/** The last bytes of a file: length of the trailer frame u32, mark u32. */
const FOOTER_BYTES = 8;
const FOOTER_MARK = 0x31455351;

/** The trailer frame with the footer that leads to it. Body: hash, then the lengths as u32. */
export function encodeTrailer({ hash, rowCount, frameLengths }: SnapshotTrailer): Buffer {
  const lengths = Buffer.alloc(frameLengths.length * 4);
  for (const [i, length] of frameLengths.entries()) lengths.writeUInt32LE(length, i * 4);
  const head = { kind: 'trailer', number: frameLengths.length, rowCount } as const;
  const frame = encodeFrame(head, [Buffer.from(hash, 'hex'), lengths]);
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32LE(frame.length, 0);
  footer.writeUInt32LE(FOOTER_MARK, 4);
  return Buffer.concat([frame, footer]);
}

/** Reads the trailer of a file of `size` bytes. Throws STORAGE_DAMAGED. */
export async function readTrailer(file: OpenFile, size: number): Promise<SnapshotTrailer> {
  const start = await findTrailer(file, size);
  const bytes = await file.read(start, size - FOOTER_BYTES - start);
  if (bytes.length < FRAME_HEAD_BYTES) throw damaged('the trailer', 'the file ends before it');
  const trailer = decodeTrailer(bytes);
  const total = trailer.frameLengths.reduce((sum, length) => sum + length, 0);
  if (total !== start)
    throw damaged('the trailer', `${start} bytes before it in place of ${total}`);
  return trailer;
}

async function findTrailer(file: OpenFile, size: number): Promise<number> {
  const footer = size < FOOTER_BYTES ? null : await file.read(size - FOOTER_BYTES, FOOTER_BYTES);
  if (footer?.length !== FOOTER_BYTES || viewOf(footer).getUint32(4, true) !== FOOTER_MARK) {
    throw damaged('the trailer', 'the file does not end with one');
  }
  const start = size - FOOTER_BYTES - viewOf(footer).getUint32(0, true);
  if (start < 0) throw damaged('the trailer', 'it is longer than the file');
  return start;
}

function decodeTrailer(bytes: Uint8Array): SnapshotTrailer {
  const frameCount = viewOf(bytes).getUint32(4, true);
  if (frameLength(bytes) === null) throw damaged('the trailer', 'something else is in its place');
  const { body, rowCount } = decodeFrame(bytes, 'trailer', frameCount);
  const view = viewOf(body);
  if (body.length !== HASH_BYTES + frameCount * 4) throw damaged('the trailer', 'lengths miss');
  return {
    hash: Buffer.from(body.subarray(0, HASH_BYTES)).toString('hex'),
    rowCount,
    frameLengths: Array.from({ length: frameCount }, (_, i) =>
      view.getUint32(HASH_BYTES + i * 4, true),
    ),
  };
}
