import { join } from 'node:path';

import type { RecoveredLog } from '../../raft/index.ts';
import { firstOf } from '../../shared/index.ts';
import type { Logger } from '../../shared/index.ts';
import type { Files } from '../files/files.ts';
import type { LogState } from './log-state.ts';
import { Replay } from './replay.ts';
import { damagedAt, isZero, survey } from './scan.ts';
import type { SegmentEnd } from './scan.ts';
import { damaged } from './damage.ts';
import { isUnfinished, Segment, segmentName, sequenceOf } from './segment.ts';
import { BLOCK_BYTES, sealOffset } from './settings.ts';
import type { LogSettings } from './settings.ts';

export interface LogPlace {
  readonly files: Files;
  /** Made by `createLog` when missing; its parent must exist. */
  readonly directory: string;
  readonly settings: LogSettings;
  readonly logger: Logger;
}

/** A log that was read, repaired and is ready to go on. */
export interface Recovery {
  readonly recovered: RecoveredLog;
  readonly state: LogState;
  /** In use, oldest first; the last one takes the next record at `end`. */
  readonly segments: Segment[];
  readonly end: SegmentEnd;
  /** Sequences of prepared segments, directly behind the last one in use. */
  readonly spares: readonly number[];
}

/** Null when the directory holds no log. Throws STORAGE_DAMAGED rather than lose history. */
export async function recover(place: LogPlace): Promise<Recovery | null> {
  const { files, directory } = place;
  const names = await files.list(directory);
  if (names === null) return null;
  for (const name of names.filter(isUnfinished)) await files.remove(join(directory, name));
  const sequences = names.map(sequenceOf).filter((sequence) => sequence !== null);
  if (sequences.length === 0) return null;
  const segments: Segment[] = [];
  try {
    return await recoverFrom(place, sequences, segments);
  } catch (error) {
    for (const segment of segments) await segment.retire();
    throw error;
  }
}

async function recoverFrom(
  place: LogPlace,
  sequences: readonly number[],
  segments: Segment[],
): Promise<Recovery> {
  const replay = new Replay();
  let end: SegmentEnd | null = null;
  const oldest = firstOf(sequences);
  for (const sequence of sequences) {
    const path = join(place.directory, segmentName(oldest + segments.length));
    if (sequence !== oldest + segments.length) {
      throw damaged({ path, offset: 0 }, 'the segment is missing, but later ones are here');
    }
    const segment = await Segment.open(place.files, path, sequence);
    segments.push(segment);
    end = await replay.scan(segment, end);
    if (!end.sealed) break;
  }
  const active = segments.at(-1);
  if (!active || !end || end.sealed) {
    const path = join(place.directory, segmentName((active?.sequence ?? 0) + 1));
    throw damaged({ path, offset: 0 }, 'the newest segment is missing');
  }
  replay.checkComplete(segments);
  const spares = await keepSpares(place, sequences.slice(segments.length), active.sequence);
  await settle(place, segments, end);
  return { ...replay.result(), segments, end, spares };
}

/**
 * Segments behind the one in use are empty, or hold a header that was written just before a crash:
 * without the seal of the segment before, nothing in them was ever acknowledged.
 */
async function keepSpares(
  place: LogPlace,
  sequences: readonly number[],
  activeSequence: number,
): Promise<readonly number[]> {
  const spares: number[] = [];
  const useless: string[] = [];
  for (const sequence of sequences) {
    const path = join(place.directory, segmentName(sequence));
    const segment = await Segment.open(place.files, path, sequence);
    try {
      const follows = sequence === activeSequence + spares.length + 1;
      const isBlank = await checkUnused(segment);
      const fits = segment.bytes === place.settings.segmentBytes;
      if (isBlank && fits && follows) spares.push(sequence);
      else useless.push(path);
    } finally {
      await segment.retire();
    }
  }
  // Only now: of a log that turns out to be damaged every file stays as it is.
  for (const path of useless) await place.files.remove(path);
  return spares;
}

/** True when all of it is zero. Records behind the first block mean that a seal was lost. */
export async function checkUnused(segment: Segment): Promise<boolean> {
  const head = Math.min(BLOCK_BYTES, segment.bytes);
  const rest = await survey(segment, head, segment.bytes);
  if (rest.record !== null) {
    throw damagedAt(segment, rest.record, 'a record follows a segment that was never sealed');
  }
  return rest.end === head && isZero(await segment.read(0, head));
}

/**
 * Makes sure that all that was read is on the disk before anything is acknowledged: a process that
 * was killed may have left its last write, seal and names in the cache of the system only.
 */
async function settle(
  { files, directory, logger }: LogPlace,
  segments: readonly Segment[],
  { offset, remainsEnd, lastRecord }: SegmentEnd,
): Promise<void> {
  const active = segments.at(-1);
  const sealed = segments.at(-2);
  if (active && remainsEnd > offset) {
    const torn = { path: active.path, offset, bytes: remainsEnd - offset };
    logger.warn(torn, 'Cut off the last record of the log, which a crash left incomplete');
    await active.write(offset, new Uint8Array(remainsEnd - offset));
  }
  if (active) await rewrite(active, lastRecord.offset, lastRecord.bytes);
  if (sealed) await rewrite(sealed, sealOffset(sealed.bytes), BLOCK_BYTES);
  await files.syncDirectory(directory);
}

/** The same bytes again, this time surely durable. */
async function rewrite(segment: Segment, offset: number, bytes: number): Promise<void> {
  await segment.write(offset, await segment.read(offset, bytes));
}
