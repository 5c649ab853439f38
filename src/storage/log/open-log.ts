import { dirname, join } from 'node:path';

import type { HardState, LogBase, LogIdentity } from '../../raft/index.ts';
import { assert, QuorateError } from '../../shared/index.ts';
import { asStorageWork } from './damage.ts';
import { recover } from './recovery.ts';
import type { LogPlace } from './recovery.ts';
import { isUnfinished, sequenceOf } from './segment.ts';
import { buildSegmentHeader } from './segment-header.ts';
import { SegmentedLog } from './segmented-log.ts';
import { checkSettings } from './settings.ts';
import { prepareSegment } from './spares.ts';

const FIRST_SEQUENCE = 1;

export interface NewLog extends LogPlace {
  readonly identity: LogIdentity;
  readonly base: LogBase;
  /** Which engine directory (`state-<generation>`) belongs to the base. */
  readonly generation: number;
  /** By default the base's term and no vote. */
  readonly hardState?: HardState;
}

/**
 * Reads, verifies and repairs the log in `directory`; null when there is none. What a crash left
 * incomplete is cut; anything else that is wrong throws STORAGE_DAMAGED with file and offset.
 */
export async function openLog(place: LogPlace): Promise<SegmentedLog | null> {
  checkSettings(place.settings);
  const recovery = await asStorageWork('open the log', place.directory, () => recover(place));
  if (recovery === null) return null;
  const log = new SegmentedLog(place, recovery);
  try {
    await log.start();
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
}

/** Makes a log in a directory that holds none. After a crash there is a whole log, or none. */
export async function createLog(fresh: NewLog): Promise<SegmentedLog> {
  checkSettings(fresh.settings);
  await asStorageWork('create a log', fresh.directory, () => makeFirstSegment(fresh));
  const log = await openLog(fresh);
  assert(log !== null, `The log in ${fresh.directory} was just made`);
  return log;
}

async function makeFirstSegment(fresh: NewLog): Promise<void> {
  const { files, directory, identity, base, generation, settings } = fresh;
  await files.makeDirectory(directory);
  await files.syncDirectory(dirname(directory));
  const names = (await files.list(directory)) ?? [];
  if (names.some((name) => sequenceOf(name) !== null)) {
    throw new QuorateError('CONFLICT', `Cannot create a log in ${directory}: it holds one`);
  }
  for (const name of names.filter(isUnfinished)) await files.remove(join(directory, name));
  const hardState = fresh.hardState ?? { term: base.term, vote: null };
  const head = { hardState, base, generation, lastIndex: base.index };
  const header = buildSegmentHeader(
    { identity, segmentBytes: settings.segmentBytes, head },
    { sequence: FIRST_SEQUENCE, previousChain: 0 },
  );
  await prepareSegment(fresh, FIRST_SEQUENCE, { first: header.bytes });
}
