import { expect } from 'chai';
import { decodeFrame } from '../../../src/storage/snapshot/frame.ts';
import type { Chunk } from '../../../src/storage/snapshot/rows.ts';
import { ChunkBuilder, decodeRows } from '../../../src/storage/snapshot/rows.ts';

const rowOf = (bytes: number, fill: number) => ({
  row: Buffer.alloc(3, fill),
  value: Buffer.alloc(bytes, fill),
});

function chunksOf(rows: readonly ReturnType<typeof rowOf>[], chunkBytes: number): Chunk[] {
  const builder = new ChunkBuilder(chunkBytes);
  const chunks = rows.map((row) => builder.add(row));
  return [...chunks, builder.takeRest()].filter((chunk) => chunk !== null);
}

describe('ChunkBuilder', () => {
  it('keeps every row whole, also those far larger than a chunk', () => {
    const sizes = [0, 50, 1, 40_000, 99, 100_000, 0, 300_000, 16_384, 7];
    const rows = sizes.map((bytes, i) => rowOf(bytes, i + 1));
    const chunks = chunksOf(rows, 100);
    const found = chunks.flatMap(({ bytes }, i) => decodeRows(decodeFrame(bytes, 'rows', i + 1)));
    expect(found.length).to.equal(rows.length);
    for (const [i, { row, value }] of rows.entries()) {
      expect(Buffer.compare(row, found[i]?.row ?? row.subarray(1)), `row ${i}`).to.equal(0);
      expect(Buffer.compare(value, found[i]?.value ?? row), `value ${i}`).to.equal(0);
    }
    expect(chunks.map(({ rowCount }) => rowCount)).to.deep.equal([4, 1, 1, 2, 1, 1]);
  });

  it('hands out chunks that later rows do not touch, whatever becomes of the rows', () => {
    const builder = new ChunkBuilder(10);
    const first = rowOf(20, 1);
    const chunk = builder.add(first);
    first.value.fill(9);
    builder.add(rowOf(5, 2));
    builder.add(rowOf(20, 3));
    if (chunk === null) throw new Error('the row fills a chunk');
    const [found] = decodeRows(decodeFrame(chunk.bytes, 'rows', 1));
    expect([...(found?.value ?? [])]).to.deep.equal(Array<number>(20).fill(1));
  });
});
