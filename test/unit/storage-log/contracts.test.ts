import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { LogStore } from '../../../src/raft/index.ts';
import { createLog, MemoryDisk, nodeFiles, openLog } from '../../../src/storage/index.ts';
import type { Files } from '../../../src/storage/index.ts';
import { describeFiles } from '../../contract/files.ts';
import { describeLogStore } from '../../contract/log-store.ts';
import type { LogStoreMaker } from '../../contract/log-store.ts';
import {
  emptyBase,
  identity,
  silentLogger as logger,
  smallSettings as settings,
} from '../../contract/log-store-support.ts';

const roots: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'quorate-log-'));
  roots.push(root);
  return root;
}

/** A disk whose writes take at most 3,000 bytes at a time. */
const shortWriting = () =>
  new MemoryDisk({
    fault: ({ kind }) => (kind === 'write' ? { kind: 'short', bytes: 3000 } : null),
  });

function makerOn(make: () => Promise<{ files: () => Files; directory: string }>): LogStoreMaker {
  const places = new WeakMap<LogStore, { files: () => Files; directory: string }>();
  return {
    create: async () => {
      const place = await make();
      const { directory } = place;
      const fresh = { identity, base: emptyBase, generation: 3, settings, logger };
      const log = await createLog({ files: place.files(), directory, ...fresh });
      places.set(log, place);
      return log;
    },
    reopen: async (log) => {
      await log.close();
      const place = places.get(log);
      if (!place) throw new Error('This log was not made here');
      const { directory } = place;
      const opened = await openLog({ files: place.files(), directory, settings, logger });
      if (!opened) throw new Error('The log is gone');
      places.set(opened, place);
      return opened;
    },
  };
}

describe('storage contracts', () => {
  after(async () => {
    for (const root of roots) await rm(root, { recursive: true });
  });

  describeFiles('real files', async () => ({
    files: nodeFiles(),
    root: await temporaryDirectory(),
  }));
  describeFiles('a memory disk', async () => {
    const files = new MemoryDisk().mount();
    await files.makeDirectory('/r');
    return { files, root: '/r' };
  });
  describeLogStore(
    'real files',
    makerOn(async () => ({
      files: nodeFiles,
      directory: join(await temporaryDirectory(), 'log'),
    })),
  );
  describeLogStore(
    'a memory disk',
    makerOn(() => {
      const disk = new MemoryDisk();
      return Promise.resolve({ files: () => disk.mount(), directory: '/log' });
    }),
  );
  describeLogStore(
    'a memory disk with short writes',
    makerOn(() => {
      const disk = shortWriting();
      return Promise.resolve({ files: () => disk.mount(), directory: '/log' });
    }),
  );
});
