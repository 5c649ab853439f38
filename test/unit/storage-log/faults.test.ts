import { expect } from 'chai';

import { asIndex, codeOf, seededRandom } from '../../../src/shared/index.ts';
import { createLog, MemoryDisk, openLog } from '../../../src/storage/index.ts';
import type { FileFault, FileOperation, LogPlace } from '../../../src/storage/index.ts';
import {
  baseAt,
  contentOf,
  emptyBase,
  entries,
  entry,
  identity,
  lineOf,
  silentLogger as logger,
  smallSettings as settings,
} from '../../contract/log-store-support.ts';

const fresh = { identity, base: emptyBase, generation: 1 };
const noSpace: FileFault = { kind: 'error', code: 'ENOSPC' };
const large = (index: number, term: number) => entry(index, term, `${index}`.padEnd(12_000, '.'));

/** A log on a disk that asks `fault` first and can hold operations back. */
class Bench {
  fault: (operation: FileOperation) => FileFault | null = () => null;
  holds: (operation: FileOperation) => boolean = () => false;
  readonly held: (() => void)[] = [];
  readonly operations: FileOperation[] = [];
  readonly disk = new MemoryDisk({
    fault: (operation) => this.fault(operation),
    complete: (operation, finish) => {
      this.operations.push(operation);
      if (this.holds(operation)) this.held.push(finish);
      else queueMicrotask(finish);
    },
  });

  place(spareSegments = 1): LogPlace {
    const files = this.disk.mount();
    return { files, directory: '/log', settings: { ...settings, spareSegments }, logger };
  }

  /** Lets everything that is not held come to rest. */
  async settle(): Promise<void> {
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  release(): void {
    this.holds = () => false;
    for (const finish of this.held.splice(0)) finish();
  }
}

const isSegment = (path: string): boolean => path.endsWith('.seg');

const failed = (action: Promise<unknown>): Promise<unknown> =>
  action.then(
    () => 'no error',
    (error: unknown) => codeOf(error) ?? String(error),
  );

describe('SegmentedLog on a bad disk', () => {
  for (const code of ['EIO', 'ENOSPC']) {
    it(`write() rejects on ${code} and so does every later call`, async () => {
      const bench = new Bench();
      const log = await createLog({ ...bench.place(), ...fresh });
      await log.write({ sequence: 1, entries: entries(1, 3, 1) });
      bench.fault = ({ kind }) => (kind === 'write' ? { kind: 'error', code } : null);
      expect(await failed(log.write({ sequence: 2, entries: entries(4, 4, 1) }))).to.equal(
        'STORAGE_FAILED',
      );
      bench.fault = () => null;
      expect(await failed(log.write({ sequence: 3, entries: [] }))).to.equal('STORAGE_FAILED');
      expect(await failed(log.compact(baseAt(1, 1)))).to.equal('STORAGE_FAILED');
      expect(await failed(log.installBase(baseAt(1, 1), 2))).to.equal('STORAGE_FAILED');
      expect(await contentOf(log, 1, 9)).to.deep.equal(entries(1, 3, 1).map(lineOf));
    });
  }

  it('write() uses the spare segments when the disk is full, then rejects', async () => {
    const bench = new Bench();
    const log = await createLog({ ...bench.place(2), ...fresh });
    await bench.settle();
    expect(log.usage()).to.deep.equal({ segments: 1, spareSegments: 2, bytes: 3 * 65536 });
    bench.fault = ({ kind, path }) =>
      kind === 'write' && path.endsWith('.new') ? { kind: 'error', code: 'ENOSPC' } : null;
    let written = 0;
    let outcome: unknown = 'no error';
    while (outcome === 'no error') {
      outcome = await failed(log.write({ sequence: 1, entries: [large(written + 1, 1)] }));
      if (outcome === 'no error') written++;
    }
    expect(outcome).to.equal('STORAGE_FAILED');
    expect(log.usage().segments).to.equal(3);
    expect(written).to.equal(12);
  });

  it('prepareSpares() tries again after there was no space', async () => {
    const bench = new Bench();
    bench.fault = ({ kind, path }) =>
      kind === 'write' && path.includes('2.seg.new') ? { kind: 'error', code: 'ENOSPC' } : null;
    const log = await createLog({ ...bench.place(), ...fresh });
    await bench.settle();
    expect(log.usage().spareSegments).to.equal(0);
    bench.fault = () => null;
    log.prepareSpares();
    await bench.settle();
    expect(log.usage().spareSegments).to.equal(1);
  });

  it('prepareSpares() does not fill the segment that write() is having prepared', async () => {
    const bench = new Bench();
    const isNext = ({ path }: FileOperation): boolean => path.endsWith('2.seg.new');
    bench.fault = (one) => (one.kind === 'write' && isNext(one) ? noSpace : null);
    const log = await createLog({ ...bench.place(), ...fresh });
    for (let i = 1; i <= 4; i++) await log.write({ sequence: i, entries: [large(i, 1)] });
    await bench.settle();
    bench.fault = () => null;
    bench.operations.length = 0;
    bench.holds = (one) => one.kind === 'sync' && isNext(one);
    const writing = log.write({ sequence: 5, entries: [large(5, 1)] });
    await bench.settle();
    log.prepareSpares();
    await bench.settle();
    bench.release();
    await writing;
    await bench.settle();
    expect(bench.operations.filter((one) => isNext(one) && one.kind === 'open')).to.have.length(1);
    expect(log.usage()).to.include({ segments: 2, spareSegments: 1 });
  });

  it('prepareSpares() says once that it cannot, until it could', async () => {
    const bench = new Bench();
    const warnings: string[] = [];
    const warn = (_fields: unknown, message: string): void => void warnings.push(message);
    const place = { ...bench.place(), logger: { ...logger, warn } };
    const log = await createLog({ ...place, ...fresh });
    await bench.settle();
    bench.fault = ({ kind, path }) => (kind === 'write' && path.endsWith('.new') ? noSpace : null);
    for (let i = 1; i <= 4; i++) await log.write({ sequence: i, entries: [large(i, 1)] });
    await log.write({ sequence: 5, entries: [large(5, 1)] });
    for (let i = 0; i < 3; i++) {
      log.prepareSpares();
      await bench.settle();
    }
    expect(warnings).to.deep.equal(['Could not prepare a spare log segment']);
  });

  it('write() is one write of whole blocks to the open segment', async () => {
    const bench = new Bench();
    const log = await createLog({ ...bench.place(), ...fresh });
    await bench.settle();
    bench.operations.length = 0;
    await log.write({ sequence: 1, entries: entries(1, 50, 1, 'x'.repeat(200)) });
    expect(bench.operations).to.deep.equal([
      { kind: 'write', path: '/log/log-0000000000000001.seg', bytes: 12288 },
    ]);
  });

  it('compact() and write() wait for a write under way', async () => {
    const bench = new Bench();
    const log = await createLog({ ...bench.place(), ...fresh });
    await bench.settle();
    bench.holds = ({ kind }) => kind === 'write';
    const first = log.write({ sequence: 1, entries: entries(1, 4, 1) });
    const rest = Promise.all([
      log.compact(baseAt(2, 1)),
      log.write({ sequence: 2, entries: entries(5, 5, 1) }),
    ]);
    await bench.settle();
    expect(bench.held).to.have.length(1);
    bench.release();
    await first;
    await rest;
    expect(await contentOf(log, 3, 5)).to.deep.equal(entries(3, 5, 1).map(lineOf));
  });

  it('read() never mixes entries from before and after a cut', async () => {
    const bench = new Bench();
    const log = await createLog({ ...bench.place(), ...fresh });
    for (let i = 1; i <= 8; i++) await log.write({ sequence: i, entries: [large(i, 1)] });
    await bench.settle();
    bench.holds = ({ kind }) => kind === 'read';
    const reading = log.read(asIndex(1), asIndex(9), 1 << 20);
    await bench.settle();
    await log.write({ sequence: 9, entries: [large(4, 2), entry(5, 2), entry(6, 2)] });
    bench.release();
    const found = await reading;
    expect(found.map(({ term }) => term)).to.not.include(2);
    expect(found[0]?.index).to.equal(1);
  });

  it('read() says that entries are gone when their segment is deleted meanwhile', async () => {
    const bench = new Bench();
    const log = await createLog({ ...bench.place(), ...fresh });
    for (let i = 1; i <= 12; i++) await log.write({ sequence: i, entries: [large(i, 1)] });
    bench.holds = ({ kind }) => kind === 'read';
    const reading = log.read(asIndex(1), asIndex(2), 1 << 20);
    await bench.settle();
    const before = log.usage().segments;
    await log.compact(baseAt(11, 1));
    expect(log.usage().segments).to.be.lessThan(before);
    bench.release();
    expect((await reading).map(({ index }) => index)).to.include(1);
    expect(await failed(log.read(asIndex(1), asIndex(2), 1))).to.equal('NOT_FOUND');
    await log.close();
  });

  it('read() takes no whole record of another log for its own, and comes to an end', async () => {
    const [bench, other] = [new Bench(), new Bench()];
    const log = await createLog({ ...bench.place(), ...fresh });
    const foreign = await createLog({ ...other.place(), ...fresh });
    for (let i = 1; i <= 12; i++) {
      await log.write({ sequence: i, entries: [large(i, 1)] });
      await foreign.write({ sequence: i, entries: [large(i, 2)] });
    }
    await bench.settle();
    expect(bench.disk.takeFile(other.disk, seededRandom(1), isSegment)).to.not.equal(null);
    expect(await failed(contentOf(log, 1, 12))).to.equal('STORAGE_DAMAGED');
    await log.close();
    await foreign.close();
  });

  it('close() waits for the write under way and ends the preparation of spares', async () => {
    const bench = new Bench();
    const log = await createLog({ ...bench.place(), ...fresh });
    bench.holds = ({ kind, path }) => kind === 'write' && path.endsWith('1.seg');
    const write = log.write({ sequence: 1, entries: entries(1, 1, 1) });
    const closing = log.close();
    await bench.settle();
    bench.release();
    await Promise.all([write, closing]);
    const again = await openLog(bench.place());
    expect(again?.recovered.lastIndex).to.equal(1);
  });

  it('openLog() is null without a directory, and removes unfinished segments', async () => {
    const bench = new Bench();
    const place = bench.place();
    expect(await openLog(place)).to.equal(null);
    await place.files.makeDirectory('/log');
    await (await place.files.open('/log/log-0000000000000001.seg.new', 'plain')).close();
    expect(await openLog(place)).to.equal(null);
    expect(await place.files.list('/log')).to.deep.equal([]);
  });

  it('createLog() refuses a directory that holds a log', async () => {
    const bench = new Bench();
    const place = bench.place();
    await (await createLog({ ...place, ...fresh })).close();
    expect(await failed(createLog({ ...place, ...fresh }))).to.equal('CONFLICT');
  });

  it('createLog() takes term and vote from the caller when given', async () => {
    const hardState = { term: baseAt(0, 7).term, vote: null };
    const log = await createLog({ ...new Bench().place(), ...fresh, hardState });
    expect(log.recovered.hardState).to.deep.equal(hardState);
  });
});
