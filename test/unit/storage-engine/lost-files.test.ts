import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';

import { codeOf, utf8 } from '../../../src/shared/index.ts';
import type { Kv } from '../../../src/storage/index.ts';
import { readOnlyRocksKvFactory, verifyState } from '../../../src/storage/index.ts';
import { removePlaces, rocksPlace } from './support.ts';

describe('RocksDB that lost files', () => {
  after(removePlaces);

  const row = utf8('row');

  /** A closed database with a row in a table file and another in its journal. */
  async function filled() {
    const { factory, root } = await rocksPlace();
    const directory = `${root}/state-1`;
    for (const name of [row, utf8('later')]) {
      // Opening it moves what the journal holds to a table file.
      const kv = await factory.open(directory);
      await kv.batch([{ row: name, value: utf8('value') }], { sync: true });
      await kv.close();
    }
    const files = (name: RegExp): string[] =>
      readdirSync(directory).filter((one) => name.test(one));
    expect(files(/\.sst$/)).to.have.length(1);
    const lose = (name: RegExp): void => {
      for (const one of files(name)) rmSync(`${directory}/${one}`);
    };
    return { factory, directory, files, lose };
  }

  const outcomeOf = (action: Promise<unknown>): Promise<unknown> =>
    action.then(
      () => 'done',
      (error: unknown) => codeOf(error) ?? String(error),
    );

  const reads: readonly [string, (kv: Kv) => Promise<unknown>][] = [
    ['get()', (kv) => kv.get(row)],
    ['iterate()', (kv) => kv.iterate().next()],
  ];

  for (const [name, read] of reads) {
    it(`${name} finds damage when a table file is gone`, async () => {
      const { factory, directory, lose } = await filled();
      lose(/\.sst$/);
      const kv = await factory.open(directory);
      expect(await outcomeOf(read(kv))).to.equal('STORAGE_DAMAGED');
      await kv.close();
    });
  }

  it('open() finds damage when the manifest is gone', async () => {
    const { factory, directory, lose } = await filled();
    lose(/^MANIFEST/);
    expect(await outcomeOf(factory.open(directory))).to.equal('STORAGE_DAMAGED');
    const kvFactory = readOnlyRocksKvFactory();
    expect(await outcomeOf(kvFactory.open(directory))).to.equal('STORAGE_DAMAGED');
  });

  it('open() finds damage when CURRENT is gone, however often, and deletes nothing', async () => {
    const { factory, directory, files, lose } = await filled();
    lose(/^CURRENT$/);
    const before = files(/./);
    for (const attempt of ['first', 'second']) {
      expect(await outcomeOf(factory.open(directory)), attempt).to.equal('STORAGE_DAMAGED');
      expect(files(/./), attempt).to.deep.equal(before);
    }
  });

  it('open() makes a database where the making of one was cut short before CURRENT', async () => {
    const { factory, root } = await rocksPlace();
    const directory = `${root}/state-1`;
    mkdirSync(directory);
    for (const name of ['LOCK', 'IDENTITY', '000001.dbtmp'])
      writeFileSync(`${directory}/${name}`, '');
    writeFileSync(`${directory}/MANIFEST-000001`, 'a part of it');
    const kv = await factory.open(directory);
    await kv.batch([{ row, value: row }], { sync: true });
    expect(await kv.get(row)).to.deep.equal(Buffer.from(row));
    await kv.close();
    await (await factory.open(directory)).close();
  });

  it('verifyState() tells once which table file is gone', async () => {
    const { directory, lose } = await filled();
    lose(/\.sst$/);
    const { findings } = await verifyState({ kvFactory: readOnlyRocksKvFactory(), directory });
    expect(findings).to.have.length(1);
    expect(findings[0]).to.match(/No such file or directory/);
  });

  it('open() does not take a place that cannot be made for damage', async () => {
    const { factory, root } = await rocksPlace();
    writeFileSync(`${root}/data`, '');
    expect(await outcomeOf(factory.open(`${root}/data/state-1`))).to.equal('STORAGE_FAILED');
  });
});
