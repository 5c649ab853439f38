import { expect } from 'chai';

import { asClusterId } from '../../src/shared/index.ts';
import type { SnapshotMeta, StoredSnapshot } from '../../src/storage/index.ts';
import { baseAt, codeFrom, SnapshotBench } from './snapshot-support.ts';
import type { SnapshotPlace } from './snapshot-support.ts';

/** Takes all of a snapshot in; resolves with the path of the finished file. */
async function takeAll(bench: SnapshotBench, source: StoredSnapshot): Promise<string> {
  const receiver = await bench.receive(source.meta);
  for (let i = 0; i < source.meta.chunkCount; i++) {
    await receiver.accept(i, await source.readChunk(i));
  }
  return receiver.finish();
}

/** Taking a snapshot in, on every pair of Kv and Files. */
export function describeSnapshotReceiver(name: string, make: () => Promise<SnapshotPlace>): void {
  describe(`SnapshotReceiver on ${name}`, () => {
    let bench: SnapshotBench;

    beforeEach(async () => {
      bench = await SnapshotBench.make(await make());
    });

    afterEach(() => bench.end());

    it('SnapshotReceiver gives the same file again', async () => {
      const source = await bench.open(await bench.spool());
      const receiver = await bench.receive(source.meta);
      for (let i = 0; i < source.meta.chunkCount; i++) {
        expect(receiver.nextChunk).to.equal(i);
        expect(receiver.isComplete).to.equal(false);
        await receiver.accept(i, await source.readChunk(i));
      }
      const copy = await bench.open(await receiver.finish());
      expect(copy.meta).to.deep.equal(source.meta);
      expect(await bench.place.files.list(bench.inbox)).to.deep.equal(['snapshot-7-3.qs']);
    });

    it('SnapshotReceiver keeps what it finished, though two newer files are there', async () => {
      const source = await bench.open(await bench.spool());
      const receiver = await bench.receive(source.meta);
      for (let i = 0; i < source.meta.chunkCount; i++) {
        await receiver.accept(i, await source.readChunk(i));
      }
      // They came before crashes that left them uninstalled; this one is to be installed now.
      for (const index of [8, 9]) {
        const file = await bench.place.files.open(`${bench.inbox}/snapshot-${index}-3.qs`, 'plain');
        await file.close();
      }
      await bench.install(await bench.open(await receiver.finish()), 1);
    });

    it('SnapshotReceiver goes on where an earlier one stopped', async () => {
      const source = await bench.open(await bench.spool());
      const first = await bench.receive(source.meta);
      for (let i = 0; i < 4; i++) await first.accept(i, await source.readChunk(i));
      await first.close();
      await first.close();
      const [name = ''] = (await bench.place.files.list(bench.inbox)) ?? [];
      const size = (await bench.place.files.sizeOf(`${bench.inbox}/${name}`)) ?? 0;
      // The end was torn, as in a power cut.
      await bench.place.files.truncate(`${bench.inbox}/${name}`, size - 3);
      const second = await bench.receive(source.meta);
      expect(second.nextChunk).to.equal(3);
      await second.accept(1, await source.readChunk(1));
      for (let i = 3; i < source.meta.chunkCount; i++) {
        await second.accept(i, await source.readChunk(i));
      }
      await bench.install(await bench.open(await second.finish()), 1);
    });

    it('SnapshotReceiver has all of what an earlier one finished', async () => {
      const source = await bench.open(await bench.spool());
      const path = await takeAll(bench, source);
      const second = await bench.receive(source.meta);
      expect(second.nextChunk).to.equal(source.meta.chunkCount);
      expect(second.isComplete).to.equal(true);
      await second.accept(1, await source.readChunk(1));
      expect(await second.finish()).to.equal(path);
      await second.close();
      expect(await bench.place.files.list(bench.inbox)).to.deep.equal(['snapshot-7-3.qs']);
      await bench.install(await bench.open(path), 1);
    });

    it('SnapshotReceiver takes in again what is damaged since an earlier one finished it', async () => {
      const source = await bench.open(await bench.spool());
      const path = await takeAll(bench, source);
      await bench.flip(path, source.meta.bytes - 20);
      const second = await bench.receive(source.meta);
      expect(second.nextChunk).to.equal(0);
      await second.close();
      await bench.install(await bench.open(await takeAll(bench, source)), 1);
    });

    it('SnapshotReceiver starts anew where what an earlier one finished is not what is offered', async () => {
      const source = await bench.open(await bench.spool());
      const path = await takeAll(bench, source);
      const offers: readonly Partial<SnapshotMeta>[] = [
        { hash: 'a'.repeat(64) },
        { chunkCount: source.meta.chunkCount + 1 },
        { clusterId: asClusterId('ff') },
      ];
      for (const change of offers) {
        const other = await bench.receive({ ...source.meta, ...change });
        expect(other.nextChunk).to.equal(0);
        await other.discard();
      }
      expect(await bench.place.files.sizeOf(path)).to.be.above(0);
    });

    it('SnapshotReceiver starts anew after another snapshot', async () => {
      const source = await bench.open(await bench.spool());
      const first = await bench.receive(source.meta);
      await first.accept(0, await source.readChunk(0));
      await first.close();
      const other = await bench.receive({ ...source.meta, hash: 'a'.repeat(64) });
      expect(other.nextChunk).to.equal(0);
      await other.close();
      expect(await bench.place.files.list(bench.inbox)).to.deep.equal([
        `incoming-${'a'.repeat(64)}.part`,
      ]);
    });

    it('SnapshotReceiver refuses damaged, early, late and foreign chunks', async () => {
      const source = await bench.open(await bench.spool());
      const receiver = await bench.receive(source.meta);
      const header = await source.readChunk(0);
      const chunk = await source.readChunk(1);
      expect(await codeFrom(receiver.accept(1, chunk))).to.equal('PARAM_INVALID');
      expect(await codeFrom(receiver.accept(0, chunk))).to.equal('PARAM_INVALID');
      await receiver.accept(0, header);
      const damaged = chunk.with(chunk.length - 9, 0xaa);
      expect(await codeFrom(receiver.accept(1, damaged))).to.equal('PARAM_INVALID');
      expect(await codeFrom(receiver.accept(1, chunk.subarray(0, 7)))).to.equal('PARAM_INVALID');
      expect(await codeFrom(receiver.accept(1, header))).to.equal('PARAM_INVALID');
      await receiver.accept(1, chunk);
      expect(receiver.nextChunk).to.equal(2);
      await receiver.discard();
      expect(await bench.place.files.list(bench.inbox)).to.deep.equal([]);
    });

    it('SnapshotReceiver refuses the header of another base or cluster', async () => {
      const source = await bench.open(await bench.spool());
      const header = await source.readChunk(0);
      for (const change of [{ clusterId: asClusterId('ff') }, { base: baseAt(8) }]) {
        const receiver = await bench.receive({ ...source.meta, ...change });
        expect(await codeFrom(receiver.accept(0, header))).to.equal('PARAM_INVALID');
        await receiver.close();
      }
    });

    it('finish() deletes what does not have the promised hash', async () => {
      const source = await bench.open(await bench.spool());
      const receiver = await bench.receive({ ...source.meta, hash: 'b'.repeat(64) });
      for (let i = 0; i < source.meta.chunkCount; i++) {
        await receiver.accept(i, await source.readChunk(i));
      }
      expect(await codeFrom(receiver.finish())).to.equal('PARAM_INVALID');
      expect(await bench.place.files.list(bench.inbox)).to.deep.equal([]);
    });

    it('openSnapshotReceiver() refuses a hash that is a path', async () => {
      const { meta } = await bench.open(await bench.spool());
      const action = bench.receive({ ...meta, hash: '../../etc/passwd' });
      expect(await codeFrom(action)).to.equal('PARAM_INVALID');
    });
  });
}
