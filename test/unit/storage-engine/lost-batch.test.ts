import { expect } from 'chai';

import { fromUtf8, seededRandom, utf8 } from '../../../src/shared/index.ts';
import type { KvFactory } from '../../../src/storage/index.ts';
import { MemoryKvDisk } from '../../../src/storage/index.ts';
import { damageWriteAheadLog, removePlaces, rocksPlace } from './support.ts';

const batchCount = 20;
const names = Array.from({ length: batchCount }, (_, i) => `k${String(i).padStart(2, '0')}`);

/** One batch for each name, all of them synced in the end. */
async function fill(factory: KvFactory, directory: string): Promise<void> {
  const kv = await factory.open(directory);
  for (const name of names) {
    const writes = [
      { row: utf8(name), value: new Uint8Array(5_000) },
      { row: utf8('newest'), value: utf8(name) },
    ];
    await kv.batch(writes, { sync: name === names.at(-1) });
  }
  await kv.close();
}

/** A batch in the middle is gone, what came later is there, and nothing says so. */
async function expectHole(factory: KvFactory, directory: string): Promise<void> {
  const kv = await factory.open(directory);
  const values = await kv.getMany(names.map(utf8));
  expect(fromUtf8((await kv.get(utf8('newest'))) ?? new Uint8Array())).to.equal(names.at(-1));
  expect(values.at(-1)).to.not.equal(null);
  expect(values).to.include(null);
  await kv.close();
}

describe('Kv with a batch that was lost', () => {
  after(removePlaces);

  it('RocksDB opens without the batches in a bad block of its write-ahead log', async () => {
    const { factory, root } = await rocksPlace();
    await fill(factory, `${root}/state-0`);
    damageWriteAheadLog(`${root}/state-0`);
    await expectHole(factory, `${root}/state-0`);
  });

  it('MemoryKvDisk.loseBatch() leaves the same', async () => {
    const disk = new MemoryKvDisk();
    await fill(disk.mount(), '/data/state-0');
    disk.kill(seededRandom(1));
    expect(disk.loseBatch(seededRandom(1))).to.equal('/data/state-0');
    await expectHole(disk.mount(), '/data/state-0');
  });

  it('MemoryKvDisk.loseBatch() leaves the only batch of a database', async () => {
    const disk = new MemoryKvDisk();
    const kv = await disk.mount().open('/data/state-0');
    await kv.batch([{ row: utf8('a'), value: utf8('1') }], { sync: true });
    disk.kill(seededRandom(1));
    expect(disk.loseBatch(seededRandom(1))).to.equal(null);
  });

  it('MemoryKvDisk.loseBatch() brings nothing back that a power cut took', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = new MemoryKvDisk();
      const kv = await disk.mount().open('/data/state-0');
      for (const name of names)
        await kv.batch([{ row: utf8(name), value: utf8('x') }], { sync: false });
      disk.crash(seededRandom(seed));
      const before = await rowsOn(disk);
      const isLost = disk.loseBatch(seededRandom(seed)) !== null;
      const after = await rowsOn(disk);
      expect(before).to.include.members(after);
      expect(after.length).to.equal(before.length - (isLost ? 1 : 0));
      expect(after.at(-1)).to.equal(before.at(-1));
    }
  });
});

async function rowsOn(disk: MemoryKvDisk): Promise<string[]> {
  const kv = await disk.mount().open('/data/state-0');
  const rows = await kv.iterate().next();
  disk.kill(seededRandom(1));
  return rows.map(({ row }) => fromUtf8(row));
}
