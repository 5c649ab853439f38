import { expect } from 'chai';

import type { LogStore } from '../../src/raft/index.ts';
import { asIndex, asTerm } from '../../src/shared/index.ts';
import {
  baseAt,
  configurationEntry,
  configurationOf,
  contentOf,
  emptyBase,
  entries,
  entry,
  identity,
  lineOf,
  peer,
} from './log-store-support.ts';

/** What a log engine offers to the suite: each log is fresh, small, and can be opened again. */
export interface LogStoreMaker {
  create(): Promise<LogStore>;
  /** Opens what `log` left behind, after it was closed. */
  reopen(log: LogStore): Promise<LogStore>;
}

const hard = (term: number, vote: string | null) => ({
  term: asTerm(term),
  vote: vote === null ? null : peer(vote),
});

export function describeLogStore(name: string, maker: LogStoreMaker): void {
  describe(`LogStore on ${name}`, () => {
    let log: LogStore;
    let sequence = 0;

    const write = (batch: Omit<Parameters<LogStore['write']>[0], 'sequence'>) =>
      log.write({ sequence: ++sequence, ...batch });

    const reopen = async (): Promise<void> => {
      log = await maker.reopen(log);
    };

    const codeOf = (action: Promise<unknown>): Promise<unknown> =>
      action.then(
        () => 'no error',
        (error: unknown) => (error as { code?: unknown }).code ?? String(error),
      );

    beforeEach(async () => {
      log = await maker.create();
    });

    afterEach(() => log.close());

    it('create() starts at the base with nothing above it', async () => {
      await reopen();
      expect(log.recovered).to.deep.equal({
        identity,
        hardState: hard(0, null),
        base: emptyBase,
        generation: 3,
        termRuns: [],
        lastIndex: 0,
        entryBytes: [],
        configurations: [],
      });
    });

    it('write() keeps entries, term and vote over a restart', async () => {
      await write({ hardState: hard(1, 'n1'), entries: entries(1, 3, 1) });
      await write({ hardState: hard(2, 'n2'), entries: [] });
      await write({ entries: entries(4, 5, 2, 'abc') });
      await reopen();
      const { recovered } = log;
      expect(recovered.hardState).to.deep.equal(hard(2, 'n2'));
      expect(recovered.lastIndex).to.equal(5);
      expect(recovered.termRuns).to.deep.equal([
        { term: 1, firstIndex: 1 },
        { term: 2, firstIndex: 4 },
      ]);
      expect(recovered.entryBytes).to.deep.equal([17, 17, 17, 3, 3]);
      expect(await contentOf(log, 1, 5)).to.deep.equal(
        [...entries(1, 3, 1), ...entries(4, 5, 2, 'abc')].map(lineOf),
      );
    });

    it('write() forgets a vote that was withdrawn by a higher term', async () => {
      await write({ hardState: hard(1, 'n1'), entries: [] });
      await write({ hardState: hard(2, null), entries: [] });
      await reopen();
      expect(log.recovered.hardState).to.deep.equal(hard(2, null));
    });

    it('write() replaces what it overlaps, before and after a restart', async () => {
      await write({ entries: entries(1, 4, 1) });
      await write({ entries: entries(5, 6, 1) });
      await write({ entries: entries(3, 3, 2) });
      const wanted = [...entries(1, 2, 1), ...entries(3, 3, 2)].map(lineOf);
      expect(await contentOf(log, 1, 9)).to.deep.equal(wanted);
      await reopen();
      expect(await contentOf(log, 1, 9)).to.deep.equal(wanted);
      expect(log.recovered.lastIndex).to.equal(3);
      expect(log.recovered.entryBytes).to.have.length(3);
      await write({ entries: entries(4, 4, 2) });
      expect(await contentOf(log, 4, 9)).to.deep.equal(entries(4, 4, 2).map(lineOf));
    });

    it('write() refuses a gap and a cut below the base', async () => {
      expect(await codeOf(write({ entries: entries(2, 2, 1) }))).to.match(/InvariantError/);
      await reopen();
      await write({ entries: entries(1, 4, 1) });
      await log.compact(baseAt(3, 1));
      expect(await codeOf(write({ entries: entries(3, 3, 2) }))).to.match(/InvariantError/);
    });

    it('write() splits a batch that is larger than a record', async () => {
      const large = entries(1, 40, 1, 'x'.repeat(2000));
      await write({ hardState: hard(1, 'n3'), entries: large });
      expect(await contentOf(log, 1, 40)).to.deep.equal(large.map(lineOf));
      await reopen();
      expect(log.recovered.hardState).to.deep.equal(hard(1, 'n3'));
      expect(await contentOf(log, 1, 40)).to.deep.equal(large.map(lineOf));
    });

    it('write() refuses an entry that fits in no record', async () => {
      const large = entry(1, 1, new Uint8Array(1 << 20));
      expect(await codeOf(write({ entries: [large] }))).to.equal('TOO_LARGE');
    });

    it('write() keeps payloads of zeros, empty ones and every byte', async () => {
      const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
      const odd = [
        entry(1, 1, new Uint8Array(9000)),
        entry(2, 1, '', 'noop'),
        entry(3, 1, everyByte),
        entry(4, 1, new Uint8Array(700).fill(1)),
      ];
      await write({ entries: odd });
      expect(await contentOf(log, 1, 4)).to.deep.equal(odd.map(lineOf));
      expect(await contentOf(log, 1, 4), 'twice').to.deep.equal(odd.map(lineOf));
      await reopen();
      expect(await contentOf(log, 1, 4)).to.deep.equal(odd.map(lineOf));
    });

    it('write() goes on over many segments and restarts', async () => {
      const wanted: string[] = [];
      for (let i = 1; i <= 60; i++) {
        const batch = [entry(i, 1, `${i}`.padEnd(5000, '.'))];
        await write({ entries: batch });
        wanted.push(...batch.map(lineOf));
        if (i % 13 === 0) await reopen();
      }
      expect(await contentOf(log, 1, 60)).to.deep.equal(wanted);
    });

    it('recovered.configurations lists those above the base, less those that were cut', async () => {
      await write({ entries: [entry(1, 1), configurationEntry(2, 1, 'n1')] });
      await write({ entries: [configurationEntry(3, 1, 'n2'), configurationEntry(4, 1, 'n3')] });
      await write({ entries: [entry(4, 2)] });
      const at2 = { index: asIndex(2), configuration: configurationOf('n1') };
      const at3 = { index: asIndex(3), configuration: configurationOf('n2') };
      await reopen();
      expect(log.recovered.configurations).to.deep.equal([at2, at3]);
      await log.compact(baseAt(2, 1, at2));
      await reopen();
      expect(log.recovered.base.configuration).to.deep.equal(at2);
      expect(log.recovered.configurations).to.deep.equal([at3]);
    });

    it('read() gives at least one entry and stops at bytesMax', async () => {
      await write({ entries: entries(1, 3, 1, 'x'.repeat(100)) });
      await write({ entries: entries(4, 6, 1, 'x'.repeat(100)) });
      const indexes = async (from: number, to: number, bytesMax: number): Promise<number[]> =>
        (await log.read(asIndex(from), asIndex(to), bytesMax)).map(({ index }) => index);
      expect(await indexes(1, 6, 0)).to.deep.equal([1]);
      expect(await indexes(1, 6, 199)).to.deep.equal([1]);
      expect(await indexes(2, 6, 300)).to.deep.equal([2, 3, 4]);
      expect(await indexes(2, 5, 9000)).to.deep.equal([2, 3, 4, 5]);
      expect(await indexes(6, 60, 9000)).to.deep.equal([6]);
      expect(await indexes(7, 60, 9000)).to.deep.equal([]);
    });

    it('compact() forgets entries up to the base and keeps the rest', async () => {
      for (let i = 1; i <= 40; i++) await write({ entries: entries(i, i, 1, 'y'.repeat(5000)) });
      await log.compact(baseAt(30, 1));
      expect(await codeOf(log.read(asIndex(30), asIndex(40), 1))).to.equal('NOT_FOUND');
      const wanted = entries(31, 40, 1, 'y'.repeat(5000)).map(lineOf);
      expect(await contentOf(log, 31, 40)).to.deep.equal(wanted);
      await reopen();
      expect(log.recovered.base).to.deep.equal(baseAt(30, 1));
      expect(log.recovered.generation).to.equal(3);
      expect(log.recovered.lastIndex).to.equal(40);
      expect(log.recovered.termRuns).to.deep.equal([{ term: 1, firstIndex: 31 }]);
      expect(log.recovered.entryBytes).to.have.length(10);
      expect(await contentOf(log, 31, 40)).to.deep.equal(wanted);
    });

    it('compact() up to the last entry leaves an empty log that goes on', async () => {
      await write({ entries: entries(1, 5, 1) });
      await log.compact(baseAt(5, 1));
      await write({ entries: entries(6, 6, 2) });
      await reopen();
      expect(log.recovered.termRuns).to.deep.equal([{ term: 2, firstIndex: 6 }]);
      expect(await contentOf(log, 6, 6)).to.deep.equal(entries(6, 6, 2).map(lineOf));
    });

    it('compact() to an older base changes nothing', async () => {
      await write({ entries: entries(1, 5, 1) });
      await log.compact(baseAt(4, 1));
      await log.compact(baseAt(2, 1));
      await reopen();
      expect(log.recovered.base.index).to.equal(4);
    });

    it('compact() refuses a base that is not in the log', async () => {
      await write({ entries: entries(1, 5, 1) });
      expect(await codeOf(log.compact(baseAt(5, 2)))).to.match(/InvariantError/);
      await reopen();
      expect(await codeOf(log.compact(baseAt(6, 1)))).to.match(/InvariantError/);
    });

    it('compact() runs beside writes', async () => {
      await write({ entries: entries(1, 5, 1) });
      const both = [log.compact(baseAt(3, 1)), write({ entries: entries(6, 7, 1) })];
      await Promise.all(both);
      await reopen();
      expect(log.recovered.base.index).to.equal(3);
      expect(log.recovered.lastIndex).to.equal(7);
    });

    it('installBase() forgets a log that does not hold the base', async () => {
      await write({ hardState: hard(2, 'n1'), entries: entries(1, 5, 1) });
      await log.installBase(baseAt(4, 2), 4);
      await reopen();
      expect(log.recovered).to.deep.include({
        base: baseAt(4, 2),
        generation: 4,
        lastIndex: 4,
        hardState: hard(2, 'n1'),
        termRuns: [],
        entryBytes: [],
      });
      await write({ entries: entries(5, 5, 2) });
      await reopen();
      expect(await contentOf(log, 5, 5)).to.deep.equal(entries(5, 5, 2).map(lineOf));
    });

    it('installBase() beyond the last entry starts anew there', async () => {
      await write({ entries: entries(1, 5, 1) });
      await log.installBase(baseAt(1000, 7), 9);
      await write({ entries: entries(1001, 1002, 7) });
      await reopen();
      expect(log.recovered.generation).to.equal(9);
      expect(log.recovered.entryBytes).to.have.length(2);
      expect(await contentOf(log, 1001, 1002)).to.deep.equal(entries(1001, 1002, 7).map(lineOf));
      expect(await codeOf(log.read(asIndex(5), asIndex(5), 1))).to.equal('NOT_FOUND');
    });

    it('installBase() keeps the entries above a base that the log holds', async () => {
      await write({ entries: entries(1, 5, 1) });
      await log.installBase(baseAt(3, 1), 4);
      expect(await contentOf(log, 4, 5)).to.deep.equal(entries(4, 5, 1).map(lineOf));
      await reopen();
      expect(log.recovered.lastIndex).to.equal(5);
      expect(log.recovered.generation).to.equal(4);
      expect(await contentOf(log, 4, 5)).to.deep.equal(entries(4, 5, 1).map(lineOf));
    });

    it('close() refuses all that follows', async () => {
      await log.close();
      await log.close();
      expect(await codeOf(write({ entries: entries(1, 1, 1) }))).to.equal('STOPPED');
      expect(await codeOf(log.read(asIndex(1), asIndex(1), 1))).to.equal('STOPPED');
    });
  });
}
