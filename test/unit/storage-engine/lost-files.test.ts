import { readdirSync, rmSync, writeFileSync } from 'node:fs';
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
