import { expect } from 'chai';
import { Compactor } from '../../../../src/node/replica/compactor.ts';
import type { DiskRoom } from '../../../../src/node/replica/index.ts';
import type { LogBase } from '../../../../src/raft/index.ts';
import { emptyConfiguration } from '../../../../src/raft/index.ts';
import { asIndex, asTerm } from '../../../../src/shared/index.ts';
import { silentLogger } from '../../../contract/log-store-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const settings = { entriesMax: 100, bytesMax: 1000, keepEntries: 10, checkMs: 50 };

/** A log of 500 applied entries; what a first check does with it. */
async function checkedOnce(found: {
  readonly bytes: number;
  readonly pinned: number | null;
  readonly room?: DiskRoom;
  readonly segments?: number;
}): Promise<{ readonly cutTo: number | null; readonly warnings: readonly string[] }> {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  let cutTo: number | null = null;
  const compactor = new Compactor({
    clock,
    logger: { ...silentLogger, warn: (_fields, message) => void warnings.push(message) },
    settings,
    baseIndex: () => asIndex(0),
    appliedIndex: () => asIndex(500),
    logUsage: () => ({ segments: found.segments ?? 2, spareSegments: 0, bytes: found.bytes }),
    room: () => found.room ?? 'enough',
    isBusy: () => false,
    flush: () => Promise.resolve(asIndex(500)),
    pinnedIndex: () => (found.pinned === null ? null : asIndex(found.pinned)),
    baseAt,
    compact: ({ index }) => {
      cutTo = index;
      return Promise.resolve();
    },
    onFatal: (error) => {
      throw error;
    },
  });
  compactor.start();
  await clock.advance(settings.checkMs);
  await compactor.stop();
  return { cutTo, warnings };
}

const baseAt = (index: number): LogBase => ({
  index: asIndex(index),
  term: asTerm(1),
  configuration: { index: asIndex(0), configuration: emptyConfiguration },
});

describe('Compactor', () => {
  it('keeps the newest applied entries', async () => {
    expect(await checkedOnce({ bytes: 10, pinned: null })).to.deep.equal({
      cutTo: 490,
      warnings: [],
    });
  });

  it('cuts nothing above what a peer will need after its snapshot', async () => {
    expect(await checkedOnce({ bytes: 2000, pinned: 200 })).to.deep.equal({
      cutTo: 200,
      warnings: [],
    });
  });

  it('cuts a log of twice its size all the same, and says what follows from it', async () => {
    const { cutTo, warnings } = await checkedOnce({ bytes: 2001, pinned: 200 });
    expect(cutTo).to.equal(490);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.contain('its snapshot has to be sent again');
  });

  it('keeps fewer entries on a disk that is nearly full, if that frees a segment', async () => {
    const low = { bytes: 10, pinned: null, room: 'low' } as const;
    expect((await checkedOnce(low)).cutTo).to.equal(499);
    expect((await checkedOnce({ ...low, segments: 1 })).cutTo).to.equal(490);
    expect((await checkedOnce({ ...low, pinned: 200 })).cutTo).to.equal(200);
  });

  it('cuts what a peer needs when there is no room for a next segment, and says so', async () => {
    const { cutTo, warnings } = await checkedOnce({ bytes: 10, pinned: 200, room: 'none' });
    expect(cutTo).to.equal(499);
    expect(warnings[0]).to.contain('its snapshot has to be sent again');
  });
});
