import { join } from 'node:path';

import { firstOf, QuorateError } from '../../shared/index.ts';
import { writeFully } from '../files/files.ts';
import type { LogPlace } from './recovery.ts';
import { RESERVE_BYTES } from './settings.ts';
import { Segment, segmentName, unfinishedName } from './segment.ts';

/** Small, so that a group commit never waits long behind the filling. */
const FILL_BYTES = 256 * 1024;

/** Prepares segments ahead of their use: filled with zeros, synced, renamed, directory synced. */
export class SpareSegments {
  readonly #place: LogPlace;
  readonly #ready: number[];
  #next: number;
  #running: Promise<void> | null = null;
  /** One at a time: two would fill the same file. */
  #preparing: Promise<void> | null = null;
  #hasFailed = false;
  #stopped = false;

  /** `ready` are prepared already, directly behind the segment `activeSequence`. */
  constructor(place: LogPlace, activeSequence: number, ready: readonly number[]) {
    this.#place = place;
    this.#ready = [...ready];
    this.#next = activeSequence + ready.length + 1;
  }

  get count(): number {
    return this.#ready.length;
  }

  /**
   * Fills up in the background as far as the disk has room. The first failure in a row is logged; the
   * next call, or need, tries again.
   */
  prepare(): void {
    if (this.#running || this.#stopped) return;
    this.#running = this.#fillUp()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#running = null;
      });
  }

  /** The next segment, blank. Prepares it now if there is none; rejects when that fails. */
  async take(): Promise<Segment> {
    if (this.#ready.length === 0 && this.#running) await this.#running;
    if (this.#ready.length === 0) await this.#prepareOne();
    const sequence = firstOf(this.#ready);
    const path = join(this.#place.directory, segmentName(sequence));
    const segment = await Segment.open(this.#place.files, path, sequence);
    this.#ready.shift();
    return segment;
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #fillUp(): Promise<void> {
    while (!this.#stopped && this.#ready.length < this.#place.settings.spareSegments) {
      if (!(await this.#hasRoom())) return;
      await this.#prepareOne();
    }
  }

  #failed(error: unknown): void {
    const { directory, logger } = this.#place;
    if (!this.#stopped && !this.#hasFailed) {
      logger.warn({ error, directory }, 'Could not prepare a spare log segment');
    }
    this.#hasFailed = true;
  }

  async #hasRoom(): Promise<boolean> {
    const { files, directory, settings } = this.#place;
    return (await files.freeBytes(directory)) >= settings.segmentBytes + RESERVE_BYTES;
  }

  #prepareOne(): Promise<void> {
    this.#preparing ??= this.#makeOne().finally(() => (this.#preparing = null));
    return this.#preparing;
  }

  async #makeOne(): Promise<void> {
    const sequence = this.#next;
    await prepareSegment(this.#place, sequence, {
      first: new Uint8Array(0),
      isStopped: () => this.#stopped,
    });
    this.#next++;
    this.#ready.push(sequence);
    this.#hasFailed = false;
  }
}

interface PreparedContent {
  /** What the segment begins with; the rest is zeros. */
  readonly first: Uint8Array;
  readonly isStopped?: () => boolean;
}

/** Appears in the directory whole or not at all. */
export async function prepareSegment(
  place: LogPlace,
  sequence: number,
  content: PreparedContent,
): Promise<void> {
  const { files, directory } = place;
  const unfinished = join(directory, unfinishedName(sequence));
  try {
    await fill(place, unfinished, content);
    await files.rename(unfinished, join(directory, segmentName(sequence)));
  } catch (error) {
    // Gives the space back; opening the log removes it as well, so this may fail.
    await files.remove(unfinished).catch(() => undefined);
    throw error;
  }
  await files.syncDirectory(directory);
}

async function fill(
  { files, settings }: LogPlace,
  path: string,
  { first, isStopped }: PreparedContent,
): Promise<void> {
  const zeros = new Uint8Array(Math.min(FILL_BYTES, settings.segmentBytes));
  const file = await files.open(path, 'plain');
  try {
    for (let offset = 0; offset < settings.segmentBytes; offset += zeros.length) {
      if (isStopped?.()) throw new QuorateError('STOPPED', `Cannot fill ${path} as it is stopped`);
      const length = Math.min(zeros.length, settings.segmentBytes - offset);
      await writeFully(file, offset, zeros.subarray(0, length));
      await file.sync();
    }
    if (first.length === 0) return;
    await writeFully(file, 0, first);
    await file.sync();
  } finally {
    await file.close();
  }
}
