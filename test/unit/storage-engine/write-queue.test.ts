import { expect } from 'chai';

import { asIndex, fromUtf8, utf8 } from '../../../src/shared/index.ts';
import { isEngineRow } from '../../../src/storage/engine/engine-rows.ts';
import { WriteQueue } from '../../../src/storage/engine/write-queue.ts';
import type { Kv, KvWrite } from '../../../src/storage/kv/kv.ts';
import type { RowWrite } from '../../../src/store/index.ts';

const put = (row: string, value: string): RowWrite => ({ row: utf8(row), value: utf8(value) });
/** Names of the rows; the one that states the index is not text. */
const rowsOf = (writes: readonly KvWrite[] = []): string[] =>
  writes.map(({ row, value }) => {
    const name = isEngineRow(row) ? 'applied' : fromUtf8(row);
    return value === null ? `${name} deleted` : name;
  });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('WriteQueue', () => {
  let batches: (readonly KvWrite[])[];
  let written: string[];
  let gathered: (() => void) | null;
  let queue: WriteQueue;

  beforeEach(() => {
    batches = [];
    written = [];
    gathered = null;
    const batch = async (writes: Iterable<KvWrite>): Promise<void> => {
      const walked = [...writes];
      await turn();
      batches.push(walked);
    };
    queue = new WriteQueue({
      kv: { batch } as unknown as Kv,
      applied: { index: asIndex(0), digest: null },
      backlogBytesMax: 4000,
      batchBytes: 1500,
      gather: (run) => {
        gathered = run;
        return () => (gathered = null);
      },
      onWritten: (key) => written.push(key),
      onFailure: (error) => expect.fail(error.message),
    });
  });

  async function untilIdle(): Promise<void> {
    for (let i = 0; i < 10; i++) await turn();
  }

  it('add() gathers entries into one batch that states the last index', async () => {
    queue.add(asIndex(1), [put('a', '1')]);
    queue.add(asIndex(2), [put('b', '2')]);
    await untilIdle();
    expect(batches).to.deep.equal([]);
    gathered?.();
    await untilIdle();
    expect(batches.length).to.equal(1);
    expect(batches[0]?.length).to.equal(3);
    expect(queue.bytes).to.equal(0);
  });

  it('add() writes a row that changes while it gathers once, as it was last', async () => {
    queue.add(asIndex(1), [put('a', '1'), put('b', '1')]);
    queue.add(asIndex(2), [put('a', 'second'), { row: utf8('b'), value: null }]);
    expect(queue.find('b')).to.equal(null);
    gathered?.();
    await untilIdle();
    const rows = batches[0]?.map(({ row, value }) => [
      Buffer.from(row).toString(),
      value && Buffer.from(value.subarray(0, -4)).toString(),
    ]);
    expect(rows?.slice(0, 2)).to.deep.equal([
      ['a', 'second'],
      ['b', null],
    ]);
    expect(written).to.deep.equal(['a', 'b']);
    expect(queue.bytes).to.equal(0);
  });

  it('add() forgets a value that is deleted before it was written', async () => {
    queue.add(asIndex(1), [{ ...put('v1', 'one'), isValue: true }, put('k', '1')]);
    queue.add(asIndex(2), [{ row: utf8('v1'), value: null }, put('k', '2')]);
    expect(queue.find('v1')).to.equal(undefined);
    gathered?.();
    await untilIdle();
    expect(rowsOf(batches[0])).to.deep.equal(['k', 'applied']);
    expect(queue.bytes).to.equal(0);
  });

  it('add() deletes a value whose row is on its way to the disk', async () => {
    queue.add(asIndex(1), [{ ...put('v1', 'one'), isValue: true }]);
    gathered?.();
    queue.add(asIndex(2), [{ row: utf8('v1'), value: null }]);
    expect(queue.find('v1')).to.equal(null);
    await untilIdle();
    gathered?.();
    await untilIdle();
    expect(batches.map(rowsOf)).to.deep.equal([
      ['v1', 'applied'],
      ['v1 deleted', 'applied'],
    ]);
  });

  it('add() does not wait once a batch is full', async () => {
    for (let i = 1; i <= 4; i++) queue.add(asIndex(i), [put(`k${i}`, 'x'.repeat(200))]);
    await untilIdle();
    expect(batches.length).to.be.within(1, 2);
    expect(queue.find('k4')).to.not.equal(null);
  });

  it('flush() and drained() do not wait for further entries', async () => {
    queue.add(asIndex(1), [put('a', '1')]);
    expect(await queue.flush()).to.equal(1);
    while (!queue.isFull) {
      queue.add(asIndex(queue.lastIndex + 1), [put(`k${queue.lastIndex}`, 'x'.repeat(500))]);
    }
    await queue.drained();
    expect(queue.isFull).to.equal(false);
  });

  it('find() gives the newest of what waits and what is being written', async () => {
    queue.add(asIndex(1), [put('a', 'old')]);
    gathered?.();
    queue.add(asIndex(2), [put('a', 'new')]);
    expect(queue.find('a')).to.deep.equal(utf8('new'));
    await untilIdle();
    expect(queue.find('a')).to.deep.equal(utf8('new'));
    expect(written, 'a newer write waits').to.deep.equal([]);
    gathered?.();
    await untilIdle();
    expect(queue.find('a')).to.equal(undefined);
    expect(written).to.deep.equal(['a']);
  });
});
