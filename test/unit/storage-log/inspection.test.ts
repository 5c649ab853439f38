import { expect } from 'chai';

import { inspectLog } from '../../../src/storage/index.ts';
import { BLOCK, directory, diskOf, imageOf, makeImage, open } from './image.ts';
import type { Image } from './image.ts';

/** Segments in use: two sealed ones and the last; a spare follows. */
const name = (sequence: number): string => `log-000000000000000${sequence}.seg`;
const [first, second, lastName] = [name(1), name(2), name(3)];

describe('inspectLog', () => {
  let image: Image;
  beforeEach(async () => {
    image = await makeImage();
  });

  const bytesOf = (of: string): Uint8Array => Uint8Array.from(image.get(of) ?? []);
  const flipped = (of: string, offset: number): Uint8Array => {
    const bytes = bytesOf(of);
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
    return bytes;
  };

  it('inspectLog() tells what each segment holds and changes nothing', async () => {
    const disk = await diskOf(image);
    const files = disk.mount();
    let read = 0;
    const inspection = await inspectLog(
      { files, directory },
      { onEntries: (some) => (read += some.length) },
    );
    const uses = inspection?.segments.map(({ use }) => use);
    expect(uses).to.deep.equal(['sealed', 'sealed', 'in use', 'spare']);
    expect(inspection).to.deep.include({ findings: [], torn: null });
    expect(inspection?.recovered).to.deep.equal((await open(await diskOf(image)))?.recovered);
    expect(read).to.equal(26);
    const last = inspection?.segments[2];
    expect(last).to.deep.include({ lastIndex: 26, lastTerm: 2, firstTerm: 1 });
    const after = await imageOf(disk);
    for (const [name, bytes] of image) expect(after.get(name), name).to.deep.equal(bytes);
  });

  it('inspectLog() goes on behind damage and says what a crash left incomplete', async () => {
    const both = new Map(image).set(first, flipped(first, 45)).set(second, flipped(second, 45));
    const broken = await inspectLog({ files: (await diskOf(both)).mount(), directory });
    expect(broken?.findings.map(({ path }) => path)).to.deep.equal([
      `${directory}/${first}`,
      `${directory}/${second}`,
    ]);
    const bytes = bytesOf(lastName);
    const end = Math.ceil((bytes.findLastIndex((byte) => byte !== 0) + 1) / BLOCK) * BLOCK;
    const lastRecord = end - 3 * BLOCK;
    bytes.fill(0, lastRecord + 512, lastRecord + 1024);
    const torn = new Map(image).set(lastName, bytes);
    const crashed = await inspectLog({ files: (await diskOf(torn)).mount(), directory });
    const path = `${directory}/${lastName}`;
    expect(crashed?.torn).to.deep.equal({ path, offset: lastRecord, bytes: 3 * BLOCK });
  });
});
