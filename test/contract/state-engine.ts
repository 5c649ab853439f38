import { expect } from 'chai';

import { asIndex, codeOf, fromUtf8, utf8 } from '../../src/shared/index.ts';
import { seal } from '../../src/storage/engine/sealed-row.ts';
import { openStateEngine } from '../../src/storage/index.ts';
import type { KvFactory, SpoolableEngine, StateEngineSettings } from '../../src/storage/index.ts';
import type { RowRange, RowWrite } from '../../src/store/index.ts';

/** What the state engine does on every Kv. `make` gives a factory and an empty parent directory. */
export function describeStateEngine(
  name: string,
  make: () => Promise<{ readonly factory: KvFactory; readonly root: string }>,
): void {
  describe(`StateEngine on ${name}`, () => {
    let factory: KvFactory;
    let directory: string;
    let engine: SpoolableEngine;
    let failures: Error[];

    async function open(settings: Partial<StateEngineSettings> = {}): Promise<void> {
      failures = [];
      engine = await openStateEngine({
        kvFactory: factory,
        directory,
        onFailure: (error) => failures.push(error),
        settings,
      });
    }

    beforeEach(async () => {
      const made = await make();
      factory = made.factory;
      directory = `${made.root}/state-0`;
      await open();
    });

    afterEach(() => engine.close().catch(() => undefined));

    const row = (key: string): Uint8Array => utf8(`\u0001${key}`);
    const write = (key: string, value: string | null): RowWrite => ({
      row: row(key),
      value: value === null ? null : utf8(value),
    });
    const textOf = (value: Uint8Array | null | undefined): string | null | undefined =>
      value && fromUtf8(value);
    const read = async (key: string): Promise<unknown> => textOf(await engine.read(row(key)));

    async function reopen(settings: Partial<StateEngineSettings> = {}): Promise<void> {
      await engine.close();
      await open(settings);
    }

    async function loaded(ranges: readonly RowRange[] = [{}]): Promise<Record<string, string>> {
      const rows: Record<string, string> = {};
      await engine.load((key, value) => {
        rows[fromUtf8(key.subarray(1))] = fromUtf8(value);
      }, ranges);
      return rows;
    }

    /** Changes the stored bytes of a row behind the engine's back. */
    async function damage(key: Uint8Array, change: (value: Uint8Array) => Uint8Array | null) {
      await engine.close();
      const kv = await factory.open(directory);
      const value = await kv.get(key);
      await kv.batch([{ row: key, value: change(Uint8Array.from(value ?? [])) }], { sync: true });
      await kv.close();
    }

    const flip = (at: number) => (value: Uint8Array) =>
      value.with(at < 0 ? value.length + at : at, (value.at(at) ?? 0) ^ 1);

    const codeFrom = (action: Promise<unknown>): Promise<unknown> =>
      action.then(
        () => 'no error',
        (error: unknown) => codeOf(error) ?? error,
      );

    it('openedAtIndex is 0 for a new engine', async () => {
      expect(engine.openedAtIndex).to.equal(0);
      expect(engine.durableIndex).to.equal(0);
      expect(await loaded()).to.deep.equal({});
    });

    it('enqueue() shows writes and deletions at once', async () => {
      engine.enqueue(asIndex(1), [write('a', '1'), write('b', '2')]);
      engine.enqueue(asIndex(2), [write('a', null)]);
      expect(engine.peek(row('a'))).to.equal(null);
      expect(textOf(engine.peek(row('b')))).to.equal('2');
      expect(await read('a')).to.equal(null);
      expect(await read('b')).to.equal('2');
      await engine.flush();
      expect(await read('a')).to.equal(null);
      expect(await read('b')).to.equal('2');
    });

    it('enqueue() keeps a copy of values that are read', async () => {
      const value = utf8('before');
      const large = utf8('before'.repeat(1000));
      engine.enqueue(asIndex(1), [
        { row: row('a'), value, isValue: true },
        { row: row('b'), value: large, isValue: true },
        { row: row('c'), value, isValue: false },
      ]);
      await engine.flush();
      value.fill(0x78);
      large.fill(0x78);
      expect(engine.peek(row('c'))).to.equal(undefined);
      expect(textOf(engine.peek(row('b')))).to.equal('before'.repeat(1000));
      expect(textOf(engine.peek(row('a')))).to.equal('before');
      await reopen();
      expect(await read('a')).to.equal('before');
    });

    it('peek() is undefined when only the disk knows', async () => {
      engine.enqueue(asIndex(1), [write('a', '1')]);
      await reopen();
      expect(engine.peek(row('a'))).to.equal(undefined);
      expect(await read('a')).to.equal('1');
      expect(textOf(engine.peek(row('a')))).to.equal('1');
      expect(engine.peek(row('missing'))).to.equal(undefined);
      expect(await read('missing')).to.equal(null);
    });

    it('readMany() answers in order from queue, cache and disk', async () => {
      const stored = Array.from({ length: 200 }, (_, i) => write(`s${i}`, `v${i}`));
      engine.enqueue(asIndex(1), stored);
      await reopen({ cacheBytesMax: 0 });
      engine.enqueue(asIndex(2), [write('s7', 'new'), write('s8', null)]);
      const keys = [...stored.keys()].map((i) => row(`s${i}`));
      const values = await engine.readMany([row('none'), ...keys]);
      const wanted = stored.map((_, i) => (i === 7 ? 'new' : i === 8 ? null : `v${i}`));
      expect(values.map(textOf)).to.deep.equal([null, ...wanted]);
    });

    it('openedAtIndex and load() give what was queued before close()', async () => {
      engine.enqueue(asIndex(3), [write('a', '1'), write('b', '2')]);
      engine.enqueue(asIndex(4), []);
      engine.enqueue(asIndex(9), [write('b', null), write('c', '')]);
      await reopen();
      expect(engine.openedAtIndex).to.equal(9);
      expect(engine.durableIndex).to.equal(9);
      expect(await loaded()).to.deep.equal({ a: '1', c: '' });
    });

    it('openedDigest is that of the last entry, whatever was opened and flushed since', async () => {
      expect(engine.openedDigest).to.equal(null);
      engine.enqueue(asIndex(1), [write('a', '1')], 0xfeed_beef);
      await engine.flush();
      engine.enqueue(asIndex(2), [], 0xffff_ffff);
      await reopen();
      expect(engine.openedDigest).to.equal(0xffff_ffff);
      await engine.flush();
      await reopen();
      expect([engine.openedAtIndex, engine.openedDigest]).to.deep.equal([2, 0xffff_ffff]);
      engine.enqueue(asIndex(3), []);
      await reopen();
      expect(engine.openedDigest).to.equal(null);
    });

    it('load() visits the rows of the ranges only', async () => {
      engine.enqueue(asIndex(1), [write('a', '1'), write('b', '2'), write('c', '3')]);
      await reopen();
      expect(await loaded([{ to: row('b') }, { from: row('c') }])).to.deep.equal({
        a: '1',
        c: '3',
      });
    });

    it('enqueue() refuses an index that does not grow and rows of the engine itself', () => {
      engine.enqueue(asIndex(2), []);
      expect(() => engine.enqueue(asIndex(2), [])).to.throw('must follow');
      const foreign = { row: Uint8Array.of(0, 1), value: utf8('x') };
      expect(() => engine.enqueue(asIndex(3), [foreign])).to.throw('not of the state machine');
    });

    it('flush() resolves with the durable index, also for entries without writes', async () => {
      engine.enqueue(asIndex(1), [write('a', '1')]);
      expect(engine.durableIndex).to.equal(0);
      expect(await engine.flush()).to.equal(1);
      engine.enqueue(asIndex(2), []);
      const [first, second] = await Promise.all([engine.flush(), engine.flush()]);
      expect([first, second, engine.durableIndex]).to.deep.equal([2, 2, 2]);
    });

    it('isFull and drained() hold applying back', async () => {
      await reopen({ backlogBytesMax: 10_000, batchBytes: 4_000 });
      let index = 0;
      while (!engine.isFull) {
        engine.enqueue(asIndex(++index), [write(`k${index}`, 'x'.repeat(900))]);
      }
      expect(engine.backlogBytes).to.be.within(10_000, 11_500);
      await engine.drained();
      expect(engine.isFull).to.equal(false);
      expect(await engine.flush()).to.equal(index);
      expect(engine.backlogBytes).to.equal(0);
      expect(Object.keys(await loaded()).length).to.equal(index);
    });

    it('enqueue() refuses when the caller ignores isFull', async () => {
      await reopen({ backlogBytesMax: 1_000 });
      const fill = (): void => {
        for (let i = 1; i < 10; i++) engine.enqueue(asIndex(i), [write(`k${i}`, 'x'.repeat(900))]);
      };
      expect(fill).to.throw('applying must pause');
    });

    it('openCursor() reflects one applied index while writing goes on', async () => {
      engine.enqueue(asIndex(5), [write('a', 'old'), write('b', 'old')]);
      await engine.flush();
      const cursor = await engine.openCursor();
      engine.enqueue(asIndex(6), [write('a', 'new'), write('b', null), write('c', 'new')]);
      await engine.flush();
      expect(cursor.appliedIndex).to.equal(5);
      const rows = await cursor.next();
      expect(rows.map(({ value }) => fromUtf8(value))).to.deep.equal(['old', 'old']);
      expect(await cursor.next()).to.deep.equal([]);
      await cursor.close();
      expect(await loaded()).to.deep.equal({ a: 'new', c: 'new' });
    });

    for (const at of [0, -1]) {
      it(`read() and load() find a damaged byte at ${at} and name the row`, async () => {
        engine.enqueue(asIndex(1), [write('a', 'value'), write('b', 'value')]);
        await damage(row('b'), flip(at));
        await open();
        expect(await read('a')).to.equal('value');
        const error = await engine.read(row('b')).catch((failure: unknown) => failure as Error);
        expect(codeOf(error)).to.equal('STORAGE_DAMAGED');
        expect((error as Error).message).to.include('Cannot read row 0162 as it was written');
        expect(failures).to.deep.equal([error]);
        expect(await codeFrom(engine.read(row('c')))).to.equal('STORAGE_DAMAGED');
        expect(() => engine.enqueue(asIndex(2), [])).to.throw('Cannot read row');
        await engine.close();
        await open();
        expect(await codeFrom(loaded())).to.equal('STORAGE_DAMAGED');
      });
    }

    it('missing() fails the engine once, as a damaged row does', async () => {
      const error = engine.missing(row('a'));
      expect(codeOf(error)).to.equal('STORAGE_DAMAGED');
      expect(error.message).to.include('Cannot read row 0161');
      expect(engine.missing(row('b'))).to.equal(error);
      expect(failures).to.deep.equal([error]);
      expect(await codeFrom(engine.read(row('c')))).to.equal('STORAGE_DAMAGED');
    });

    it('read() finds a value that belongs to another row', async () => {
      engine.enqueue(asIndex(1), [write('a', 'one'), write('b', 'two')]);
      await engine.close();
      const kv = await factory.open(directory);
      await kv.batch([{ row: row('a'), value: await kv.get(row('b')) }], { sync: true });
      await kv.close();
      await open();
      expect(await codeFrom(engine.read(row('a')))).to.equal('STORAGE_DAMAGED');
    });

    it('openStateEngine() finds damaged, odd and missing rows of its own', async () => {
      engine.enqueue(asIndex(1), [write('a', '1')]);
      await damage(Uint8Array.of(0, 1), flip(0));
      expect(await codeFrom(open())).to.equal('STORAGE_DAMAGED');
      await damage(Uint8Array.of(0, 1), () => seal(Uint8Array.of(0, 1), new Uint8Array(9)));
      expect(await codeFrom(open())).to.equal('STORAGE_DAMAGED');
      await damage(Uint8Array.of(0, 1), () => null);
      expect(await codeFrom(open())).to.equal('STORAGE_DAMAGED');
      await damage(Uint8Array.of(0, 0), () => null);
      expect(await codeFrom(open())).to.equal('STORAGE_DAMAGED');
    });

    it('openStateEngine() refuses a second user of the directory', async () => {
      expect(await codeFrom(open())).to.equal('DATA_DIRECTORY_LOCKED');
      engine.enqueue(asIndex(1), [write('a', '1')]);
      expect(await engine.flush()).to.equal(1);
    });

    it('close() may be called twice and stops all calls', async () => {
      engine.enqueue(asIndex(1), [write('a', '1')]);
      await Promise.all([engine.close(), engine.close()]);
      expect(await codeFrom(engine.read(row('a')))).to.equal('STOPPED');
      expect(await codeFrom(engine.flush())).to.equal('STOPPED');
      expect(() => engine.enqueue(asIndex(2), [])).to.throw('it is closed');
      expect(failures).to.deep.equal([]);
    });
  });
}
