import type { LogBase } from '../../raft/index.ts';
import type { LogIndex, Term } from '../../shared/index.ts';
import { asIndex, asTerm } from '../../shared/index.ts';
import type { Files } from '../files/files.ts';
import { RESERVE_BYTES } from '../log/settings.ts';

/** How many finished snapshots stay. */
const SNAPSHOTS_MAX = 2;

/** A finished snapshot file. */
export interface SnapshotFile {
  readonly path: string;
  readonly index: LogIndex;
  readonly term: Term;
}

export const snapshotDirectory = (dataDirectory: string): string => `${dataDirectory}/snapshots`;

export const snapshotPath = (directory: string, base: LogBase): string =>
  `${directory}/snapshot-${base.index}-${base.term}.qs`;

/** Finished snapshots, newest first. */
export async function listSnapshots(
  files: Files,
  directory: string,
): Promise<readonly SnapshotFile[]> {
  const names = (await files.list(directory)) ?? [];
  const found = names.flatMap((name) => {
    const [, index, term] = /^snapshot-(\d+)-(\d+)\.qs$/.exec(name) ?? [];
    if (index === undefined || term === undefined) return [];
    const path = `${directory}/${name}`;
    return [{ path, index: asIndex(Number(index)), term: asTerm(Number(term)) }];
  });
  return found.sort((a, b) => b.index - a.index || b.term - a.term);
}

/**
 * Deletes all but the two newest and `fresh`, which may be older than what was never installed.
 * Readers that have one open keep what they read.
 */
export async function pruneSnapshots(
  files: Files,
  directory: string,
  fresh: string,
): Promise<void> {
  const surplus = (await listSnapshots(files, directory)).slice(SNAPSHOTS_MAX);
  for (const { path } of surplus) if (path !== fresh) await files.remove(path);
}

/** Deletes unfinished files whose names end so, but not `keep`. */
export async function removeUnfinished(
  files: Files,
  directory: string,
  which: { readonly ending: '.spool' | '.part'; readonly keep?: string },
): Promise<void> {
  for (const name of (await files.list(directory)) ?? []) {
    const path = `${directory}/${name}`;
    if (name.endsWith(which.ending) && path !== which.keep) await files.remove(path);
  }
}

/** Deletes what was received, and what is finished. Nobody may be reading or writing it. */
export async function removeSnapshots(files: Files, directory: string): Promise<void> {
  await removeUnfinished(files, directory, { ending: '.part' });
  for (const { path } of await listSnapshots(files, directory)) await files.remove(path);
}

/** At start: what nobody can go on with, and on a disk that is nearly full everything. */
export async function removeLeftovers(files: Files, directory: string): Promise<void> {
  if ((await files.list(directory)) === null) return;
  await removeUnfinished(files, directory, { ending: '.spool' });
  const isLow = (await files.freeBytes(directory)) < RESERVE_BYTES;
  if (isLow) await removeSnapshots(files, directory);
}

export async function ensureDirectory(files: Files, directory: string): Promise<void> {
  if ((await files.list(directory)) !== null) return;
  await files.makeDirectory(directory);
  await files.syncDirectory(directory.slice(0, directory.lastIndexOf('/')) || '/');
}
