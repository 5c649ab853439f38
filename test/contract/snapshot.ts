import { crc32 } from 'node:zlib';
import { expect } from 'chai';

import { asIndex, utf8 } from '../../src/shared/index.ts';
import {
  listSnapshots,
  readSnapshotHeader,
  removeOtherGenerations,
  stateDirectory,
  writeFully,
} from '../../src/storage/index.ts';
import {
  baseAt,
  clusterId,
  codeFrom,
  digest,
  rowOf,
  rowsIn,
  SnapshotBench,
  valueOf,
} from './snapshot-support.ts';
import type { SnapshotPlace } from './snapshot-support.ts';

/** Spooling, reading and installing, on every pair of Kv and Files. */
export function describeSnapshot(name: string, make: () => Promise<SnapshotPlace>): void {
  describe(`Snapshots on ${name}`, () => {
    let bench: SnapshotBench;

    beforeEach(async () => {
      bench = await SnapshotBench.make(await make());
    });

    afterEach(() => bench.end());

    it('spoolSnapshot() states base, cluster, hash and counts', async () => {
      const path = await bench.spool();
      expect(path).to.equal(`${bench.outbox}/snapshot-7-3.qs`);
      expect(await readSnapshotHeader(bench.place.files, path)).to.deep.equal({
        clusterId,
        base: baseAt(7),
        digest,
      });
      const snapshot = await bench.open(path);
      expect(snapshot.meta.rowCount).to.equal(500);
      expect(snapshot.meta.hash).to.match(/^[0-9a-f]{64}$/);
      expect(snapshot.meta.chunkCount).to.be.within(8, 12);
      const lengths = [];
      for (let i = 0; i < snapshot.meta.chunkCount; i++) {
        lengths.push((await snapshot.readChunk(i)).length);
      }
      expect(lengths.reduce((a, b) => a + b)).to.equal(snapshot.meta.bytes);
      expect(Math.max(...lengths)).to.be.below(4096 + 200);
    });

    it('spoolSnapshot() gives the same bytes for the same state', async () => {
      const first = await bench.open(await bench.spool());
      const installed = await bench.install(first, 1);
      expect(installed.directory).to.equal(stateDirectory(bench.place.root, 1));
      await bench.engine.close();
      bench.engine = await bench.openGeneration(1);
      const second = await bench.open(await bench.spool());
      expect(second.meta).to.deep.equal(first.meta);
    });

    it('spoolSnapshot() reflects one applied index while applying goes on', async () => {
      bench.engine.enqueue(asIndex(8), [{ row: rowOf(0), value: utf8('queued later') }]);
      await bench.engine.flush();
      const spooling = bench.spool();
      for (let i = 9; i < 60; i++) {
        bench.engine.enqueue(asIndex(i), [{ row: rowOf(i), value: null }]);
        if (i % 10 === 0) await bench.engine.flush();
      }
      const snapshot = await bench.open(await spooling);
      const { index } = snapshot.meta.base;
      expect(index).to.be.within(8, 59);
      await bench.install(snapshot, 1);
      const copy = await bench.openGeneration(1);
      expect(copy.openedAtIndex).to.equal(index);
      const rows = await rowsIn(copy);
      expect(rows.size).to.equal(500 - (index - 8));
      await copy.close();
    });

    it('spoolSnapshot() of an empty state has no rows', async () => {
      await bench.engine.close();
      bench.engine = await bench.openGeneration(5);
      const snapshot = await bench.open(await bench.spool());
      expect(snapshot.meta.rowCount).to.equal(0);
      expect(snapshot.meta.chunkCount).to.equal(1);
      expect((await bench.install(snapshot, 6)).base.index).to.equal(0);
    });

    it('spoolSnapshot() keeps the two newest files and no unfinished ones', async () => {
      for (const index of [8, 9, 10]) {
        await bench.spool();
        bench.engine.enqueue(asIndex(index), [{ row: rowOf(index), value: utf8('new') }]);
        await bench.engine.flush();
      }
      await bench.place.files
        .open(`${bench.outbox}/snapshot-1-1.qs.spool`, 'plain')
        .then((f) => f.close());
      await bench.spool();
      const found = await listSnapshots(bench.place.files, bench.outbox);
      expect(found.map(({ index }) => index)).to.deep.equal([10, 9]);
      expect(await bench.place.files.list(bench.outbox)).to.have.length(2);
    });

    it('spoolSnapshot() stops at an abort and leaves nothing', async () => {
      const aborting = new AbortController();
      aborting.abort(new Error('enough'));
      const { files } = bench.place;
      const action = bench.spool(aborting.signal);
      expect(await codeFrom(action)).to.have.property('message', 'enough');
      expect(await files.list(bench.outbox)).to.deep.equal([]);
    });

    it('installSnapshot() makes an engine with the same rows and digest at the base', async () => {
      const snapshot = await bench.open(await bench.spool());
      const installed = await bench.install(snapshot, 1);
      expect(installed.base).to.deep.equal(baseAt(7));
      const copy = await bench.openGeneration(1);
      expect([copy.openedAtIndex, copy.durableIndex]).to.deep.equal([7, 7]);
      expect(copy.openedDigest).to.equal(digest);
      expect(await rowsIn(copy)).to.deep.equal(await rowsIn(bench.engine));
      await copy.close();
    });

    it('installSnapshot() replaces what a crash left in its directory', async () => {
      const leftover = await bench.place.factory.open(stateDirectory(bench.place.root, 1));
      await leftover.batch([{ row: rowOf(9999), value: utf8('junk') }], { sync: true });
      await leftover.close();
      expect(await codeFrom(bench.openGeneration(1))).to.equal('STORAGE_DAMAGED');
      const snapshot = await bench.open(await bench.spool());
      await bench.install(snapshot, 1);
      const copy = await bench.openGeneration(1);
      expect(await rowsIn(copy)).to.have.property('size', 500);
      await copy.close();
    });

    it('removeOtherGenerations() leaves the one in force and foreign directories', async () => {
      for (const name of ['state-1', 'state-12', 'log']) {
        const other = await bench.place.factory.open(`${bench.place.root}/${name}`);
        await other.batch([{ row: rowOf(0), value: valueOf(0) }], { sync: true });
        await other.close();
      }
      await removeOtherGenerations({
        kvFactory: bench.place.factory,
        dataDirectory: bench.place.root,
        generation: 0,
      });
      expect(await bench.place.factory.list(bench.place.root)).to.deep.equal(['log', 'state-0']);
    });

    it('openSnapshot() and readChunk() find a flipped bit wherever it is', async () => {
      const path = await bench.spool();
      const size = (await bench.place.files.sizeOf(path)) ?? 0;
      const { meta } = await bench.open(path);
      const positions = [0, 5, 40, meta.bytes - 1, meta.bytes, meta.bytes + 20, size - 8, size - 1];
      for (let at = 300; at < size; at += 1777) positions.push(at);
      for (const position of positions) {
        await bench.flip(path, position);
        expect(await codeFrom(bench.readEverything(path)), `byte ${position}`).to.equal(
          'STORAGE_DAMAGED',
        );
        await bench.flip(path, position);
      }
      await bench.readEverything(path);
    });

    it('openSnapshot() refuses a file that is cut off', async () => {
      const path = await bench.spool();
      const size = (await bench.place.files.sizeOf(path)) ?? 0;
      for (const length of [size - 1, size - 9, size >> 1, 10, 0]) {
        await bench.place.files.truncate(path, length);
        expect(await codeFrom(bench.open(path)), `${length} bytes`).to.equal('STORAGE_DAMAGED');
      }
    });

    it('installSnapshot() finds a chunk that was exchanged for another sound one', async () => {
      const path = await bench.spool();
      const snapshot = await bench.open(path);
      const chunk = Buffer.from(await snapshot.readChunk(1));
      const end = chunk.length - 4;
      chunk[end - 1] = 0xff;
      chunk.writeUInt32LE(crc32(chunk.subarray(0, end)), end);
      const file = await bench.place.files.open(path, 'plain');
      await writeFully(file, (await snapshot.readChunk(0)).length, chunk);
      await file.close();
      await snapshot.readChunk(1);
      expect(await codeFrom(bench.install(snapshot, 1))).to.equal('STORAGE_DAMAGED');
    });

    it('installSnapshot() deletes its directory when a chunk is damaged', async () => {
      const path = await bench.spool();
      await bench.flip(path, 20_000);
      expect(await codeFrom(bench.readEverything(path))).to.equal('STORAGE_DAMAGED');
      expect(await bench.place.factory.list(bench.place.root)).to.not.include('state-9');
    });
  });
}
