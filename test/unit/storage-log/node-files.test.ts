import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { constants } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { nodeFiles } from '../../../src/storage/index.ts';

/** Open flags of the descriptors that this process has on a path, as the kernel tells them. */
async function flagsOf(path: string): Promise<number[]> {
  const flags: number[] = [];
  for (const descriptor of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => '');
    if (target !== path) continue;
    const info = await readFile(`/proc/self/fdinfo/${descriptor}`, 'utf8');
    flags.push(Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? '0', 8));
  }
  return flags;
}

describe('nodeFiles()', () => {
  it('open() asks the kernel for O_DSYNC in mode durable only', async function () {
    if (process.platform !== 'linux') this.skip();
    const directory = await mkdtemp(join(tmpdir(), 'quorate-files-'));
    const path = join(directory, 'a');
    await writeFile(path, 'x');
    for (const mode of ['durable', 'plain', 'read'] as const) {
      const file = await nodeFiles().open(path, mode);
      const [flags = 0, ...others] = await flagsOf(path);
      expect(others, mode).to.deep.equal([]);
      const isSynced = (flags & constants.O_DSYNC) === constants.O_DSYNC;
      expect(isSynced, mode).to.equal(mode === 'durable');
      await file.close();
    }
    await rm(directory, { recursive: true });
  });

  it('read() reads into the buffer that it is given, when that is large enough', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-files-'));
    const path = join(directory, 'a');
    await writeFile(path, 'abcdef');
    const file = await nodeFiles().open(path, 'read');
    const buffer = new Uint8Array(4);
    const read = await file.read(1, 3, buffer);
    expect(Buffer.from(read).toString()).to.equal('bcd');
    expect(read.buffer).to.equal(buffer.buffer);
    expect((await file.read(4, 4, buffer)).length, 'at the end').to.equal(2);
    const large = await file.read(0, 6, buffer);
    expect(Buffer.from(large).toString()).to.equal('abcdef');
    expect(large.buffer).to.not.equal(buffer.buffer);
    await file.close();
    await rm(directory, { recursive: true });
  });
});
