import { expect } from 'chai';
import { AppliedHistory } from '../../../../src/node/replica/applied-history.ts';
import { Compactor } from '../../../../src/node/replica/compactor.ts';
import type { DiskRoom } from '../../../../src/node/replica/index.ts';
import { asIndex, asTerm } from '../../../../src/shared/index.ts';
import { emptyBase, silentLogger } from '../../../contract/log-store-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const settings = { entriesMax: 100, bytesMax: 1000, keepEntries: 10, checkMs: 50 };

/** A log of 500 applied entries; what a first check does with it. */
async function checkedOnce(found: {
  readonly bytes: number;
  readonly pinned: number | null;
  readonly room?: DiskRoom;
  readonly segments?: number;
}): Promise<{
  readonly cutTo: number | null;
  readonly warnings: readonly string[];
  readonly steps: readonly string[];
}> {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const steps: string[] = [];
  let cutTo: number | null = null;
  const compactor = new Compactor({
    clock,
    logger: { ...silentLogger, warn: (_fields, message) => void warnings.push(message) },
    settings,
    log: {
      usage: () => ({ segments: found.segments ?? 2, spareSegments: 0, bytes: found.bytes }),
      compact: ({ index }) => {
        cutTo = index;
        steps.push(`the log begins above ${index}`);
        return Promise.resolve();
      },
    },
    history: new AppliedHistory({
      base: emptyBase,
      termRuns: [{ term: asTerm(1), firstIndex: asIndex(1) }],
      configurations: [],
    }),
    appliedIndex: () => asIndex(500),
    isBusy: () => false,
    flush: () => Promise.resolve(asIndex(500)),
    pinnedIndex: () => (found.pinned === null ? null : asIndex(found.pinned)),
    onCut: ({ index }) => void steps.push(`the core forgets up to ${index}`),
    onFatal: (error) => {
      throw error;
    },
  });
  compactor.onRoom(found.room ?? 'enough');
  compactor.start();
  await clock.advance(settings.checkMs);
  await compactor.stop();
  return { cutTo, warnings, steps };
}

describe('Compactor', () => {
  it('keeps the newest applied entries', async () => {
    const { cutTo, warnings } = await checkedOnce({ bytes: 10, pinned: null });
    expect(cutTo).to.equal(490);
    expect(warnings).to.be.empty;
  });

  it('has the core forget before the log is cut', async () => {
    const { steps } = await checkedOnce({ bytes: 10, pinned: null });
    expect(steps).to.deep.equal(['the core forgets up to 490', 'the log begins above 490']);
  });

  it('cuts nothing above what a peer will need after its snapshot', async () => {
    const { cutTo, warnings } = await checkedOnce({ bytes: 2000, pinned: 200 });
    expect(cutTo).to.equal(200);
    expect(warnings).to.be.empty;
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
