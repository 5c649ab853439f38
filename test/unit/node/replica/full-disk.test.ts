import { expect } from 'chai';

import { AppliedHistory } from '../../../../src/node/replica/applied-history.ts';
import { Compactor } from '../../../../src/node/replica/compactor.ts';
import type { DiskRoom } from '../../../../src/node/replica/disk-room.ts';
import { roomOf } from '../../../../src/node/replica/disk-room.ts';
import { asIndex } from '../../../../src/shared/index.ts';
import type { Files, SegmentedLog } from '../../../../src/storage/index.ts';
import { createLog, MemoryDisk, RESERVE_BYTES } from '../../../../src/storage/index.ts';
import {
  emptyBase,
  entry,
  identity,
  silentLogger as logger,
  smallSettings,
} from '../../../contract/log-store-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const { segmentBytes } = smallSettings;
const compaction = { entriesMax: 50_000, bytesMax: 1 << 30, keepEntries: 40, checkMs: 50 };

/** A log, and what cuts it, on a disk of a fixed size. */
class Bench {
  readonly clock = new VirtualClock();
  readonly files: Files;
  /** Bytes of the whole disk. */
  sizeBytes = Number.MAX_SAFE_INTEGER;
  usedBytes = 0;
  #room: DiskRoom = 'enough';
  #lastIndex = 0;
  #compactor: Compactor | null = null;
  readonly #history = new AppliedHistory({
    base: emptyBase,
    termRuns: [],
    configurations: [],
  });
  readonly #disk = new MemoryDisk({
    freeBytes: () => this.freeBytes,
    fault: ({ kind, path }) =>
      kind === 'write' && path.endsWith('.new') && this.freeBytes < segmentBytes
        ? { kind: 'error', code: 'ENOSPC' }
        : null,
  });

  constructor() {
    this.files = this.#disk.mount();
  }

  get freeBytes(): number {
    return Math.max(0, this.sizeBytes - this.usedBytes);
  }

  async open(): Promise<SegmentedLog> {
    const place = { files: this.files, directory: '/log', settings: smallSettings, logger };
    const log = await createLog({ ...place, identity, base: emptyBase, generation: 1 });
    await this.settle();
    return log;
  }

  compactor(log: SegmentedLog): Compactor {
    this.#compactor = new Compactor({
      clock: this.clock,
      logger,
      settings: compaction,
      log,
      history: this.#history,
      appliedIndex: () => asIndex(this.#lastIndex),
      isBusy: () => false,
      flush: () => Promise.resolve(asIndex(this.#lastIndex)),
      pinnedIndex: () => null,
      onCut: () => undefined,
      onFatal: (error) => {
        throw error;
      },
    });
    return this.#compactor;
  }

  /** One record, then what happens now and then. */
  async write(log: SegmentedLog): Promise<void> {
    this.#lastIndex++;
    const written = entry(this.#lastIndex, 1);
    await log.write({ sequence: this.#lastIndex, entries: [written] });
    this.#history.record(written, null);
    await this.settle();
    await this.look(log);
    await this.clock.advance(compaction.checkMs);
    await this.settle();
  }

  async look(log: SegmentedLog): Promise<void> {
    const { freeBytes } = this;
    this.#room = roomOf({ freeBytes, usage: log.usage(), segmentBytes, before: this.#room });
    this.#compactor?.onRoom(this.#room);
    log.prepareSpares();
    await this.settle();
  }

  /** Lets what goes on in the background end, and counts what is on the disk. */
  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    const names = (await this.files.list('/log')) ?? [];
    const sizes = await Promise.all(names.map((name) => this.files.sizeOf(`/log/${name}`)));
    this.usedBytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  }
}

describe('a log on a disk that is nearly full', () => {
  it('takes far more small entries than its spares hold, for it is cut', async () => {
    const bench = new Bench();
    const log = await bench.open();
    bench.sizeBytes = bench.usedBytes + segmentBytes / 2;
    const compactor = bench.compactor(log);
    compactor.start();
    for (let i = 0; i < 200; i++) await bench.write(log);
    expect(log.usage().segments).to.be.below(4);
    await compactor.stop();
    await log.close();
  });

  it('has its spare again when there is room', async () => {
    const bench = new Bench();
    const log = await bench.open();
    bench.sizeBytes = bench.usedBytes;
    for (let i = 0; i < 20; i++) await bench.write(log);
    expect(log.usage()).to.include({ segments: 2, spareSegments: 0 });
    bench.sizeBytes += RESERVE_BYTES + segmentBytes;
    await bench.look(log);
    expect(log.usage()).to.include({ segments: 2, spareSegments: 1 });
    await log.close();
  });
});
