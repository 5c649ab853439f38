import { expect } from 'chai';

import type { LogIdentity, LogStore } from '../../../src/raft/index.ts';
import { codeOf } from '../../../src/shared/index.ts';
import {
  createLog,
  inspectLog,
  MemoryDisk,
  openLog,
  writeFully,
} from '../../../src/storage/index.ts';
import type { LogSettings } from '../../../src/storage/index.ts';
import {
  contentOf,
  emptyBase,
  entries,
  entry,
  identity,
  silentLogger as logger,
} from '../../contract/log-store-support.ts';

export const settings: LogSettings = {
  segmentBytes: 48 * 1024,
  recordBytesMax: 16 * 1024,
  spareSegments: 1,
};
export const directory = '/log';
export const BLOCK = 4096;

/** Files of a log directory by name. */
export type Image = ReadonlyMap<string, Uint8Array>;

export async function imageOf(disk: MemoryDisk): Promise<Image> {
  const files = disk.mount();
  const image = new Map<string, Uint8Array>();
  for (const name of (await files.list(directory)) ?? []) {
    const file = await files.open(`${directory}/${name}`, 'read');
    image.set(name, await file.read(0, 1 << 20));
  }
  return image;
}

export async function diskOf(image: Image): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const files = disk.mount();
  await files.makeDirectory(directory);
  for (const [name, bytes] of image) {
    await writeFully(await files.open(`${directory}/${name}`, 'plain'), 0, bytes);
  }
  return disk;
}

/** Three segments in use and a spare; the last write is a record of three blocks. */
export async function makeImage(owner: LogIdentity = identity, filler = '-'): Promise<Image> {
  const disk = new MemoryDisk();
  const place = { files: disk.mount(), directory, settings, logger };
  const log = await createLog({ ...place, identity: owner, base: emptyBase, generation: 1 });
  for (let i = 1; i <= 24; i++) {
    await log.write({ sequence: i, entries: entries(i, i, 1, `${i}`.padEnd(2500, filler)) });
  }
  const last = [entry(25, 2, new Uint8Array(4000)), entry(26, 2, 'z'.repeat(5000))];
  await log.write({ sequence: 25, entries: last });
  await log.close();
  return imageOf(disk);
}

export const open = async (disk: MemoryDisk): Promise<LogStore | null> =>
  openLog({ files: disk.mount(), directory, settings, logger });

/** What opening gives; inspecting must find something exactly when opening refuses. */
export async function outcomeOf(image: Image): Promise<string> {
  const outcome = await openingOf(image);
  const files = (await diskOf(image)).mount();
  const inspection = await inspectLog({ files, directory });
  const isWhole = inspection?.findings.length === 0;
  expect(isWhole, `inspectLog() on a log that opens as ${outcome}`).to.equal(outcome !== 'damaged');
  return outcome;
}

const openingOf = async (image: Image): Promise<string> =>
  open(await diskOf(image)).then(
    async (log) => (log ? `${(await contentOf(log, 1, 99)).length} entries` : 'no log'),
    (error: unknown) => (codeOf(error) === 'STORAGE_DAMAGED' ? 'damaged' : String(error)),
  );

export const messageOf = async (image: Image): Promise<string> =>
  open(await diskOf(image)).then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );
