import { expect } from 'chai';

import { asIndex, utf8 } from '../../../src/shared/index.ts';
import type { FileFault, FileOperation, StoredSnapshot } from '../../../src/storage/index.ts';
import { MemoryDisk, MemoryKvDisk, removeLeftovers } from '../../../src/storage/index.ts';
import { codeFrom, SnapshotBench } from '../../contract/snapshot-support.ts';

const mebibyte = 1024 * 1024;

describe('snapshots on a disk that is nearly full', () => {
  let bench: SnapshotBench;
  let freeBytes: number;
  let fault: (operation: FileOperation) => FileFault | null;

  beforeEach(async () => {
    freeBytes = 1024 * mebibyte;
    fault = () => null;
    const disk = new MemoryDisk({
      freeBytes: () => freeBytes,
      fault: (operation) => {
        if (operation.kind === 'write') freeBytes -= operation.bytes;
        return fault(operation);
      },
    });
    const files = disk.mount();
    await files.makeDirectory('/data');
    const factory = new MemoryKvDisk().mount();
    bench = await SnapshotBench.make({ files, factory, root: '/data' });
  });

  afterEach(() => bench.end());

  /** 10 MiB of rows. */
  async function grow(): Promise<void> {
    const value = new Uint8Array(512 * 1024);
    const writes = Array.from({ length: 20 }, (_, i) => ({ row: utf8(`\u0001big-${i}`), value }));
    bench.engine.enqueue(asIndex(8), writes);
    await bench.engine.flush();
  }

  async function firstHalf(source: StoredSnapshot): Promise<number> {
    const receiver = await bench.receive(source.meta);
    for (let i = 0; i < 4; i++) await receiver.accept(i, await source.readChunk(i));
    await receiver.close();
    return receiver.nextChunk;
  }

  const namesIn = (directory: string) => bench.place.files.list(directory);

  it('spoolSnapshot() does not begin when it would leave too little', async () => {
    freeBytes = 96 * mebibyte - 1;
    expect(await codeFrom(bench.spool())).to.equal('STORE_FULL');
    expect(await namesIn(bench.outbox)).to.deep.equal([]);
    freeBytes = 96 * mebibyte;
    await bench.spool();
  });

  it('spoolSnapshot() stops when the disk fills up meanwhile, and leaves nothing', async () => {
    await grow();
    fault = ({ kind }) => {
      if (kind === 'write') freeBytes = Math.min(freeBytes, 64 * mebibyte - 1);
      return null;
    };
    expect(await codeFrom(bench.spool())).to.equal('STORE_FULL');
    expect(await namesIn(bench.outbox)).to.deep.equal([]);
  });

  it('spoolSnapshot() says that the disk is full when the system says so', async () => {
    fault = ({ kind }) => (kind === 'write' ? { kind: 'error', code: 'ENOSPC' } : null);
    expect(await codeFrom(bench.spool())).to.equal('STORE_FULL');
  });

  it('openSnapshotReceiver() refuses what has no room, and keeps what it has of it', async () => {
    const source = await bench.open(await bench.spool());
    const received = await firstHalf(source);
    freeBytes = 96 * mebibyte;
    expect(await codeFrom(bench.receive(source.meta))).to.equal('STORE_FULL');
    freeBytes = 1024 * mebibyte;
    const receiver = await bench.receive(source.meta);
    expect(receiver.nextChunk).to.equal(received);
    await receiver.close();
  });

  for (const { found, code } of [
    { found: 'is full', code: 'ENOSPC' },
    { found: 'fills up', code: null },
  ]) {
    it(`accept() deletes what it received when the disk ${found}`, async () => {
      await grow();
      const source = await bench.open(await bench.spool());
      const receiver = await bench.receive(source.meta);
      for (let i = 0; i < 4; i++) await receiver.accept(i, await source.readChunk(i));
      freeBytes = 64 * mebibyte;
      if (code !== null) fault = ({ kind }) => (kind === 'write' ? { kind: 'error', code } : null);
      const rest = async (): Promise<void> => {
        for (let i = 4; i < source.meta.chunkCount; i++) {
          await receiver.accept(i, await source.readChunk(i));
        }
      };
      expect(await codeFrom(rest())).to.equal('STORE_FULL');
      await receiver.close();
      expect(await namesIn(bench.inbox)).to.deep.equal([]);
    });
  }

  it('finish() waits for room to install, and a later receiver has it all', async () => {
    const source = await bench.open(await bench.spool());
    const receiver = await bench.receive(source.meta);
    const { chunkCount } = source.meta;
    for (let i = 0; i < chunkCount; i++) await receiver.accept(i, await source.readChunk(i));
    freeBytes = 96 * mebibyte;
    expect(await codeFrom(receiver.finish())).to.equal('STORE_FULL');
    await receiver.close();
    freeBytes = 1024 * mebibyte;
    const later = await bench.receive(source.meta);
    expect(later.isComplete).to.equal(true);
    await bench.install(await bench.open(await later.finish()), 1);
  });

  it('removeLeftovers() keeps what can be gone on with, unless the disk is nearly full', async () => {
    const { files } = bench.place;
    await removeLeftovers(files, bench.outbox);
    await bench.spool();
    for (const name of ['incoming-1.part', 'snapshot-9-3.qs.spool']) {
      await files.open(`${bench.outbox}/${name}`, 'plain').then((file) => file.close());
    }
    await removeLeftovers(files, bench.outbox);
    expect(await namesIn(bench.outbox)).to.deep.equal(['incoming-1.part', 'snapshot-7-3.qs']);
    freeBytes = 64 * mebibyte - 1;
    await removeLeftovers(files, bench.outbox);
    expect(await namesIn(bench.outbox)).to.deep.equal([]);
  });
});
