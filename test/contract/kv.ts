import { expect } from 'chai';

import { codeOf, fromUtf8, utf8 } from '../../src/shared/index.ts';
import type { Kv, KvCursor, KvFactory, KvRow } from '../../src/storage/index.ts';

/** What every Kv adapter does. `make` gives a factory and an empty parent directory for it. */
export function describeKv(
  name: string,
  make: () => Promise<{ readonly factory: KvFactory; readonly root: string }>,
): void {
  describe(`Kv on ${name}`, () => {
    let factory: KvFactory;
    let directory: string;
    let kv: Kv;

    beforeEach(async () => {
      const made = await make();
      factory = made.factory;
      directory = `${made.root}/data/state-0`;
      kv = await factory.open(directory);
    });

    afterEach(() => kv.close().catch(() => undefined));

    const put = (...texts: readonly string[]): Promise<void> =>
      kv.batch(
        texts.map((text) => ({ row: utf8(text), value: utf8(`${text}!`) })),
        { sync: false },
      );

    async function readAll(cursor: KvCursor): Promise<KvRow[]> {
      const rows: KvRow[] = [];
      for (let next = await cursor.next(); next.length > 0; next = await cursor.next()) {
        rows.push(...next);
      }
      await cursor.close();
      return rows;
    }

    const namesIn = async (cursor: KvCursor): Promise<string[]> =>
      (await readAll(cursor)).map(({ row }) => fromUtf8(row));

    const errorOf = (action: Promise<unknown>): Promise<unknown> =>
      action.then(
        () => 'no error',
        (error: unknown) => codeOf(error) ?? (error as Error).name,
      );

    it('batch() writes and deletes, in order within the batch', async () => {
      await put('a', 'b');
      const writes = [
        { row: utf8('a'), value: null },
        { row: utf8('c'), value: utf8('1') },
        { row: utf8('c'), value: utf8('2') },
        { row: utf8('b'), value: new Uint8Array(0) },
      ];
      await kv.batch(writes, { sync: true });
      const [a, b, c] = await kv.getMany([utf8('a'), utf8('b'), utf8('c')]);
      expect(a).to.equal(null);
      expect([...(b ?? [9])]).to.deep.equal([]);
      expect(fromUtf8(c ?? utf8('none'))).to.equal('2');
    });

    it('batch() has copied the bytes when it settles', async () => {
      const row = utf8('row');
      const value = utf8('value');
      await kv.batch([{ row, value }], { sync: false });
      row.fill(0);
      value.fill(0);
      expect(await kv.get(utf8('row'))).to.deep.equal(Buffer.from('value'));
    });

    it('batch() refuses a second one at the same time', async () => {
      const first = put('a');
      expect(await errorOf(put('b'))).to.equal('InvariantError');
      await first;
      await put('b');
      expect(await namesIn(kv.iterate())).to.deep.equal(['a', 'b']);
    });

    it('batch() refuses to be empty', async () => {
      expect(await errorOf(kv.batch([], { sync: true }))).to.equal('InvariantError');
    });

    it('get() takes views of larger buffers and bytes above 127', async () => {
      const large = Uint8Array.of(1, 0xff, 0x00, 0x80, 2);
      const row = large.subarray(1, 4);
      await kv.batch([{ row, value: large.subarray(3, 5) }], { sync: false });
      expect([...((await kv.get(Uint8Array.of(0xff, 0, 0x80))) ?? [])]).to.deep.equal([0x80, 2]);
      expect(await kv.get(Uint8Array.of(0xff, 0))).to.equal(null);
    });

    it('iterate() orders rows as bytes', async () => {
      const rows = [[0x80], [0x7f, 0xff], [0xff], [0], [0x7f], [0xff, 0]];
      await kv.batch(
        rows.map((row) => ({ row: Uint8Array.from(row), value: utf8('x') })),
        { sync: false },
      );
      const found = (await readAll(kv.iterate())).map(({ row }) => [...row]);
      expect(found).to.deep.equal([[0], [0x7f], [0x7f, 0xff], [0x80], [0xff], [0xff, 0]]);
    });

    it('iterate() takes a range with its start and without its end', async () => {
      await put('a', 'b', 'c', 'd');
      const range = { from: utf8('b'), to: utf8('d') };
      expect(await namesIn(kv.iterate(range))).to.deep.equal(['b', 'c']);
      expect(await namesIn(kv.iterate({ from: utf8('bb') }))).to.deep.equal(['c', 'd']);
      expect(await namesIn(kv.iterate({ to: utf8('b') }))).to.deep.equal(['a']);
    });

    it('iterate() sees the rows of the moment it was called', async () => {
      await put('a', 'b');
      const cursor = kv.iterate();
      await kv.batch(
        [
          { row: utf8('a'), value: null },
          { row: utf8('c'), value: utf8('new') },
        ],
        { sync: false },
      );
      expect(await namesIn(cursor)).to.deep.equal(['a', 'b']);
      expect(await namesIn(kv.iterate())).to.deep.equal(['b', 'c']);
    });

    it('iterate() gives many rows and large values whole', async () => {
      const rows = Array.from({ length: 2500 }, (_, i) => ({
        row: utf8(String(i).padStart(6, '0')),
        value: new Uint8Array(i % 500 === 0 ? 300_000 : 10).fill(i),
      }));
      await kv.batch(rows, { sync: false });
      const found = await readAll(kv.iterate());
      expect(found.length).to.equal(rows.length);
      expect(found.every(({ value }, i) => Buffer.compare(value, rows[i]?.value ?? value) === 0)).to
        .be.true;
    });

    it('close() keeps every row for the next handle', async () => {
      await put('a');
      await kv.close();
      kv = await factory.open(directory);
      expect(await namesIn(kv.iterate())).to.deep.equal(['a']);
    });

    it('close() ends cursors, and calls after it fail', async () => {
      await put('a');
      const cursor = kv.iterate();
      await kv.close();
      expect(await errorOf(cursor.next())).to.equal('STORAGE_FAILED');
      await cursor.close();
      expect(await errorOf(kv.get(utf8('a')))).to.equal('STORAGE_FAILED');
      expect(await errorOf(put('b'))).to.equal('STORAGE_FAILED');
    });

    it('open() refuses a directory that is open, naming it', async () => {
      const error = await factory.open(directory).catch((failure: unknown) => failure as Error);
      expect(codeOf(error)).to.equal('DATA_DIRECTORY_LOCKED');
      expect((error as Error).message).to.equal(
        `Cannot open ${directory} as its only user: another daemon uses it`,
      );
      await put('still usable');
    });

    it('list() names directories, remove() deletes one', async () => {
      const parent = directory.slice(0, directory.lastIndexOf('/'));
      await put('a');
      const other = await factory.open(`${parent}/state-1`);
      await other.batch([{ row: utf8('x'), value: utf8('y') }], { sync: true });
      await other.close();
      expect(await factory.list(parent)).to.deep.equal(['state-0', 'state-1']);
      await factory.remove(`${parent}/state-1`);
      await factory.remove(`${parent}/state-1`);
      expect(await factory.list(parent)).to.deep.equal(['state-0']);
      expect(await factory.list(`${parent}/nothing`)).to.deep.equal([]);
      const again = await factory.open(`${parent}/state-1`);
      expect(await again.get(utf8('x'))).to.equal(null);
      await again.close();
    });
  });
}
