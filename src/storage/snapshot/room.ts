import { codeOf, QuorateError } from '../../shared/index.ts';
import type { Files } from '../files/files.ts';
import { RESERVE_BYTES, ROOMY_FACTOR } from '../log/settings.ts';

/** A snapshot that is begun leaves more than the reserve: else it would have values refused at once. */
const beginReserveBytes = ROOMY_FACTOR * RESERVE_BYTES;

/** What is to be written where; `action` as in 'make a snapshot'. */
export interface RoomWanted {
  readonly action: string;
  readonly path: string;
  /** As far as it is known. */
  readonly bytes: number;
}

/** Throws STORE_FULL unless the disk has room for it and for what else needs some meanwhile. */
export const checkRoomToBegin = (files: Files, wanted: RoomWanted): Promise<void> =>
  check(files, wanted, wanted.bytes + beginReserveBytes);

/** Throws STORE_FULL when the reserve is being used. */
export const checkRoomToGoOn = (files: Files, path: string): Promise<void> =>
  check(files, { action: 'go on with a snapshot', path }, RESERVE_BYTES);

async function check(
  files: Files,
  { action, path }: Pick<RoomWanted, 'action' | 'path'>,
  neededBytes: number,
): Promise<void> {
  const freeBytes = await files.freeBytes(path);
  if (freeBytes >= neededBytes) return;
  const found = `${mebibytes(freeBytes)} are free of ${mebibytes(neededBytes)} that it needs`;
  throw new QuorateError('STORE_FULL', `Cannot ${action} in ${path}: ${found}; make room there`);
}

/** The error itself, or STORE_FULL in place of what the system says when no byte is left. */
export function asLackOfRoom(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOSPC') return error;
  return new QuorateError('STORE_FULL', 'Cannot go on with a snapshot: its disk is full', {
    cause: error,
  });
}

/** The disk has too little left, there or here. */
export const isLackOfRoom = (error: unknown): boolean => codeOf(error) === 'STORE_FULL';

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MiB`;
