import { expect } from 'chai';

import { asClusterId, codeOf, seededRandom } from '../../../src/shared/index.ts';
import { openLog, writeFully } from '../../../src/storage/index.ts';
import {
  baseAt,
  entry,
  identity,
  silentLogger as logger,
} from '../../contract/log-store-support.ts';
import {
  BLOCK,
  directory,
  diskOf,
  imageOf,
  makeImage,
  messageOf,
  open,
  outcomeOf,
  settings,
} from './image.ts';
import type { Image } from './image.ts';

describe('SegmentedLog on damaged files', () => {
  let image: Image;
  /** In use. */
  let names: readonly string[];
  let spare: string;
  let lastName: string;
  let lastRecord: number;

  beforeEach(async () => {
    image = await makeImage();
    const all = [...image.keys()];
    spare = all.at(-1) ?? '';
    names = all.slice(0, -1);
    lastName = names.at(-1) ?? '';
    lastRecord = Math.ceil(lastByte(bytesOf(lastName)) / BLOCK) * BLOCK - 3 * BLOCK;
  });

  /** Offset behind the last byte that is not zero. */
  const lastByte = (bytes: Uint8Array): number => {
    let end = bytes.length;
    while (bytes[end - 1] === 0) end--;
    return end;
  };
  const isBlank = (name: string, block: number): boolean =>
    bytesOf(name)
      .subarray(block * BLOCK, (block + 1) * BLOCK)
      .every((byte) => byte === 0);

  const bytesOf = (name: string): Uint8Array => image.get(name) ?? new Uint8Array(0);

  const changed = (name: string, change: (bytes: Uint8Array) => void): Image => {
    const bytes = Uint8Array.from(bytesOf(name));
    change(bytes);
    return new Map(image).set(name, bytes);
  };
  const flipped = (name: string, offset: number, mask: number): Image =>
    changed(name, (bytes) => (bytes[offset] = (bytes[offset] ?? 0) ^ mask));
  const zeroed = (name: string, offset: number, length: number): Image =>
    changed(name, (bytes) => bytes.fill(0, offset, offset + length));
  const without = (name: string): Image => new Map([...image].filter(([other]) => other !== name));

  it('is read in full when nothing is wrong', async () => {
    expect(names).to.have.length(3);
    expect(bytesOf(spare).every((byte) => byte === 0)).to.equal(true);
    expect(await outcomeOf(image)).to.equal('26 entries');
  });

  it('openLog() refuses a flipped byte or loses nothing by it', async () => {
    const random = seededRandom(1);
    let refused = 0;
    for (let i = 0; i < 500; i++) {
      const name = names[random.intBelow(names.length)] ?? '';
      const offset = random.intBelow(settings.segmentBytes);
      const value = bytesOf(name)[offset] ?? 0;
      const mask = random.intBelow(2) === 0 && value !== 0 ? value : 1 + random.intBelow(255);
      const outcome = await outcomeOf(flipped(name, offset, mask));
      if (outcome === 'damaged') refused++;
      else expect(outcome, `${name} at ${offset} with ${mask}`).to.equal('26 entries');
    }
    expect(refused).to.be.greaterThan(100);
  });

  it('openLog() refuses one flipped bit in the header or body of any block in use', async () => {
    for (const name of names) {
      const used = Math.ceil(lastByte(bytesOf(name)) / BLOCK);
      for (let block = 0; block < used; block++) {
        for (const at of [0, 9, 21, 37, 44]) {
          const offset = block * BLOCK + at;
          // A sealed segment has unused blocks before its seal: a bit there is nobody's.
          if (isBlank(name, block)) continue;
          const outcome = await outcomeOf(flipped(name, offset, 1 << ((block + at) % 8)));
          expect(outcome, `${name}, block ${block}, byte ${at}`).to.equal('damaged');
        }
      }
    }
  });

  it('openLog() never takes a flipped byte of the last record for a torn write', async () => {
    for (let i = 0; i < 3 * BLOCK; i += i < 600 ? 1 : 61) {
      const offset = lastRecord + i;
      const value = bytesOf(lastName)[offset] ?? 0;
      for (const mask of value === 0 ? [255] : [value, 1]) {
        const outcome = await outcomeOf(flipped(lastName, offset, mask));
        expect(outcome, `byte ${i} with ${mask}`).to.be.oneOf(['damaged', '26 entries']);
        if (i < 9000) expect(outcome, `byte ${i} with ${mask}`).to.equal('damaged');
      }
    }
  });

  it('openLog() cuts a last record of which a sector never arrived', async () => {
    const sectors = Math.ceil((40 + 9000) / 512);
    for (let sector = 0; sector < sectors; sector++) {
      const torn = zeroed(lastName, lastRecord + sector * 512, 512);
      expect(await outcomeOf(torn), `sector ${sector}`).to.equal('24 entries');
    }
  });

  it('openLog() clears what a torn record left, so that shorter ones may follow', async () => {
    for (const sector of [0, 1, 17]) {
      const disk = await diskOf(zeroed(lastName, lastRecord + sector * 512, 512));
      for (let index = 25; index <= 29; index++) {
        const log = await open(disk);
        await log?.write({ sequence: 1, entries: [entry(index, 3)] });
        await log?.close();
      }
      const log = await open(disk);
      expect(log?.recovered.lastIndex, `sector ${sector}`).to.equal(29);
    }
  });

  it('openLog() refuses a missing sector in any record but the last', async () => {
    for (const name of names) {
      const end = name === lastName ? lastRecord : settings.segmentBytes - 3 * BLOCK;
      for (let offset = 0; offset < end; offset += BLOCK) {
        expect(await outcomeOf(zeroed(name, offset, 512)), `${name} ${offset}`).to.equal('damaged');
      }
    }
  });

  it('openLog() refuses a torn record that data follows', async () => {
    const torn = zeroed(lastName, lastRecord + 512, 512);
    const bytes = Uint8Array.from(torn.get(lastName) ?? []);
    bytes[lastRecord + 4 * BLOCK] = 1;
    expect(await outcomeOf(new Map(torn).set(lastName, bytes))).to.equal('damaged');
  });

  it('openLog() refuses any missing segment and names it', async () => {
    expect(await messageOf(without(names[0] ?? ''))).to.match(
      /entries 1 to \d+ are missing: an older segment is gone/,
    );
    for (const name of names.slice(1, -1)) {
      expect(await messageOf(without(name))).to.contain(`${directory}/${name} at byte 0`);
    }
    expect(await messageOf(without(lastName))).to.contain(`${lastName} at byte 0: the segment is`);
    const withoutBoth = new Map([...without(lastName)].filter(([name]) => name !== spare));
    expect(await messageOf(withoutBoth)).to.contain(`${lastName} at byte 0: the newest segment`);
  });

  it('openLog() does without a missing or odd spare', async () => {
    expect(await outcomeOf(without(spare))).to.equal('26 entries');
    expect(await outcomeOf(new Map(image).set(spare, new Uint8Array(100)))).to.equal('26 entries');
    expect(await outcomeOf(flipped(spare, 5000, 1))).to.equal('26 entries');
  });

  it('openLog() refuses segments that were swapped', async () => {
    const [first = '', second = ''] = names;
    for (const [a, b] of [
      [first, second],
      [second, lastName],
      [lastName, spare],
    ] as const) {
      const swapped = new Map(image).set(a, bytesOf(b)).set(b, bytesOf(a));
      expect(await outcomeOf(swapped), `${a} and ${b}`).to.equal('damaged');
    }
  });

  it('openLog() refuses a truncated segment and says how long it should be', async () => {
    for (const name of names) {
      for (const length of [0, 100, BLOCK, 4 * BLOCK, settings.segmentBytes - BLOCK]) {
        const cut = new Map(image).set(name, bytesOf(name).slice(0, length));
        expect(await outcomeOf(cut), `${name} of ${length} bytes`).to.equal('damaged');
      }
    }
    const [first = ''] = names;
    const cut = new Map(image).set(first, bytesOf(first).slice(0, 4 * BLOCK));
    expect(await messageOf(cut)).to.contain('the file has 16384 bytes, its header says 49152');
  });

  it('openLog() refuses a segment of another cluster or incarnation', async () => {
    const other = await makeImage({ ...identity, clusterId: asClusterId('c2') });
    for (const name of names.slice(1)) {
      const mixed = new Map(image).set(name, other.get(name) ?? new Uint8Array(0));
      expect(await messageOf(mixed), name).to.contain('belongs to cluster c2, node n1');
    }
  });

  it('openLog() refuses records and segments of another history of the same node', async () => {
    const other = await makeImage(identity, '=');
    const [, second = ''] = names;
    const theirs = other.get(second) ?? new Uint8Array(0);
    expect(await messageOf(new Map(image).set(second, theirs))).to.contain(
      'the segment does not follow the one before it',
    );
    const offset = 3 * BLOCK;
    const mixed = changed(second, (bytes) =>
      bytes.set(theirs.subarray(offset, offset + BLOCK), offset),
    );
    expect(await messageOf(mixed)).to.contain('the record does not follow the one before it');
  });

  it('openLog() is not misled by records that are almost all zeros', async () => {
    const disk = await diskOf(image);
    const log = await open(disk);
    const sparse = Uint8Array.from({ length: 5000 }, (_, i) => (i % 512 === 99 ? 1 : 0));
    await log?.write({ sequence: 1, entries: [entry(27, 2, sparse)] });
    await log?.close();
    image = await imageOf(disk);
    const bytes = bytesOf(lastName);
    const start = lastRecord + 3 * BLOCK;
    for (let offset = start; offset < start + 5048; offset++) {
      const value = bytes[offset] ?? 0;
      if (value === 0) continue;
      expect(await outcomeOf(flipped(lastName, offset, value)), `${offset}`).to.equal('damaged');
    }
  });

  it('openLog() refuses an older copy of the newest segment', async () => {
    const blank = new Map(image).set(lastName, new Uint8Array(settings.segmentBytes));
    expect(await outcomeOf(blank)).to.equal('damaged');
  });

  it('openLog() refuses records behind a seal that was lost', async () => {
    const [first = ''] = names;
    const unsealed = zeroed(first, settings.segmentBytes - BLOCK, BLOCK);
    expect(await outcomeOf(unsealed)).to.equal('damaged');
  });

  it('openLog() says what is wrong where and keeps the files as they are', async () => {
    const disk = await diskOf(flipped(lastName, lastRecord + 3000, 1));
    const before = await imageOf(disk);
    const message = await open(disk).catch((error: unknown) => (error as Error).message);
    expect(message).to.contain(`${directory}/${lastName} at byte ${lastRecord}: the checksum`);
    const after = await imageOf(disk);
    expect([...after.keys()]).to.deep.equal([...before.keys()]);
    for (const [name, bytes] of before) expect(after.get(name), name).to.deep.equal(bytes);
  });

  it('read() refuses a record that decayed after the log was opened', async () => {
    const disk = await diskOf(image);
    const files = disk.mount();
    const log = await openLog({ files, directory, settings, logger });
    const file = await files.open(`${directory}/${lastName}`, 'plain');
    await writeFully(file, lastRecord + 3000, Uint8Array.of(77));
    const outcome = await log?.read(baseAt(26, 2).index, baseAt(26, 2).index, 1).catch(codeOf);
    expect(outcome).to.equal('STORAGE_DAMAGED');
  });
});
