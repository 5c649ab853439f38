import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect } from 'chai';

import { codeOf } from '../../../src/shared/index.ts';
import { removePlaces, rocksPlace } from './support.ts';

/** Opens the database in argv[1], says so, and holds it until it is killed. */
const HOLDER = `
  const database = require('rocksdb')(process.argv[1]);
  database.open({}, (error) => process.stdout.write(error ? String(error) : 'open'));
  setInterval(() => undefined, 60_000);
`;

describe('RocksDB lock', () => {
  after(removePlaces);

  it('open() refuses a directory that another process holds, and takes it when that died', async () => {
    const { factory, root } = await rocksPlace();
    const directory = `${root}/state-0`;
    const holder = spawn(process.execPath, ['-e', HOLDER, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    expect(said.toString()).to.equal('open');

    const error = await factory.open(directory).catch((failure: unknown) => failure as Error);
    expect(codeOf(error)).to.equal('DATA_DIRECTORY_LOCKED');
    expect((error as Error).message).to.include(`Cannot open ${directory} as its only user`);

    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await factory.open(directory)).close();
  });
});
