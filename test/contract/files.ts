import { expect } from 'chai';

import { writeFully } from '../../src/storage/index.ts';
import type { Files } from '../../src/storage/index.ts';

/** What every Files adapter does. `make` gives a file system and an empty directory on it. */
export function describeFiles(
  name: string,
  make: () => Promise<{ readonly files: Files; readonly root: string }>,
): void {
  describe(`Files on ${name}`, () => {
    let files: Files;
    let root: string;

    beforeEach(async () => {
      ({ files, root } = await make());
    });

    async function put(path: string, bytes: Uint8Array): Promise<void> {
      const file = await files.open(path, 'plain');
      await writeFully(file, 0, bytes);
      await file.sync();
      await file.close();
    }

    async function get(path: string): Promise<Uint8Array> {
      const file = await files.open(path, 'read');
      const bytes = await file.read(0, 1 << 20);
      await file.close();
      return new Uint8Array(bytes);
    }

    const codeOf = (action: Promise<unknown>): Promise<unknown> =>
      action.then(
        () => 'no error',
        (error: unknown) => (error as { code: unknown }).code,
      );

    it('open() makes a file in mode plain only', async () => {
      expect(await codeOf(files.open(`${root}/a`, 'read'))).to.equal('ENOENT');
      expect(await codeOf(files.open(`${root}/a`, 'durable'))).to.equal('ENOENT');
      await put(`${root}/a`, Uint8Array.of(1, 2, 3));
      expect([...(await get(`${root}/a`))]).to.deep.equal([1, 2, 3]);
    });

    it('open() refuses writes in mode read', async () => {
      await put(`${root}/a`, Uint8Array.of(1));
      const file = await files.open(`${root}/a`, 'read');
      expect(await codeOf(file.write(0, Uint8Array.of(2)))).to.equal('EBADF');
      await file.close();
    });

    it('write() and read() are positional, and gaps are zeros', async () => {
      await put(`${root}/a`, Uint8Array.of(1));
      const file = await files.open(`${root}/a`, 'durable');
      await writeFully(file, 1000, Uint8Array.of(7, 8));
      await writeFully(file, 511, Uint8Array.of(5, 6));
      expect([...(await file.read(509, 5))]).to.deep.equal([0, 0, 5, 6, 0]);
      expect([...(await file.read(999, 100))]).to.deep.equal([0, 7, 8]);
      expect([...(await file.read(2000, 10))]).to.deep.equal([]);
      await file.close();
      expect(await files.sizeOf(`${root}/a`)).to.equal(1002);
    });

    it('freeBytes() says how much may still be written', async () => {
      const free = await files.freeBytes(root);
      expect(Number.isSafeInteger(free) && free > 0, String(free)).to.equal(true);
    });

    it('sizeOf() and list() say null for what is missing', async () => {
      expect(await files.sizeOf(`${root}/none`)).to.equal(null);
      expect(await files.list(`${root}/none`)).to.equal(null);
      expect(await files.list(root)).to.deep.equal([]);
    });

    it('list() sorts names', async () => {
      for (const name of ['b', 'c', 'a']) await put(`${root}/${name}`, Uint8Array.of(1));
      expect(await files.list(root)).to.deep.equal(['a', 'b', 'c']);
    });

    it('rename() replaces its target', async () => {
      await put(`${root}/a`, Uint8Array.of(1));
      await put(`${root}/b`, Uint8Array.of(2));
      await files.rename(`${root}/a`, `${root}/b`);
      await files.syncDirectory(root);
      expect(await files.list(root)).to.deep.equal(['b']);
      expect([...(await get(`${root}/b`))]).to.deep.equal([1]);
      expect(await codeOf(files.rename(`${root}/a`, `${root}/c`))).to.equal('ENOENT');
    });

    it('rename() moves a directory with all in it to another one', async () => {
      await files.makeDirectory(`${root}/d`);
      await files.makeDirectory(`${root}/e`);
      await put(`${root}/d/a`, Uint8Array.of(1));
      await files.rename(`${root}/d`, `${root}/e/d`);
      await files.syncDirectory(`${root}/e`);
      await files.syncDirectory(root);
      expect(await files.list(root)).to.deep.equal(['e']);
      expect([...(await get(`${root}/e/d/a`))]).to.deep.equal([1]);
    });

    it('remove() takes files, whole directories and nothing at all', async () => {
      await files.makeDirectory(`${root}/d`);
      await put(`${root}/d/a`, Uint8Array.of(1));
      await files.remove(`${root}/d`);
      await files.remove(`${root}/d`);
      expect(await files.list(root)).to.deep.equal([]);
    });

    it('remove() leaves an open file readable', async () => {
      await put(`${root}/a`, Uint8Array.of(1, 2));
      const file = await files.open(`${root}/a`, 'read');
      await files.remove(`${root}/a`);
      expect([...(await file.read(0, 2))]).to.deep.equal([1, 2]);
      await file.close();
    });

    it('makeDirectory() makes one level and may be repeated', async () => {
      await files.makeDirectory(`${root}/d`);
      await files.makeDirectory(`${root}/d`);
      expect(await files.list(`${root}/d`)).to.deep.equal([]);
      expect(await codeOf(files.makeDirectory(`${root}/x/y`))).to.equal('ENOENT');
    });

    it('truncate() cuts and extends with zeros', async () => {
      await put(`${root}/a`, Uint8Array.of(1, 2, 3));
      await files.truncate(`${root}/a`, 1);
      await files.truncate(`${root}/a`, 3);
      expect([...(await get(`${root}/a`))]).to.deep.equal([1, 0, 0]);
    });
  });
}
