import { expect } from 'chai';
import { ReadClient } from '../../../../src/node/replica/read-client.ts';
import type { RaftInput, Reply } from '../../../../src/raft/index.ts';
import { asIndex } from '../../../../src/shared/index.ts';
import type { LogIndex } from '../../../../src/shared/index.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** A client whose driver and applier answer when the test lets them. */
class Stage {
  readonly clock = new VirtualClock();
  readonly inputs: RaftInput[] = [];
  readonly replies: ((reply: Reply) => void)[] = [];
  /** Indexes that somebody waits for, and who. */
  readonly awaited: LogIndex[] = [];
  readonly applied: (() => void)[] = [];
  readonly reads = new ReadClient(
    {
      tag: (onReply) => this.replies.push(onReply),
      submit: (input) => void this.inputs.push(input),
    },
    { whenApplied: (index, resolve) => this.#whenApplied(index, resolve) },
    this.clock,
  );

  /** A read in a round of its own. */
  async read(): Promise<{ readonly isOpen: boolean }> {
    const read = { isOpen: true };
    void this.reads.barrier(5_000).then(() => (read.isOpen = false));
    await this.clock.advance(1);
    return read;
  }

  #whenApplied(index: LogIndex, resolve: () => void): void {
    this.awaited.push(index);
    this.applied.push(resolve);
  }
}

describe('ReadClient and leases', () => {
  it('ReadClient asks for a round when the lease ran out before the state was there', async () => {
    const stage = new Stage();
    const { clock, inputs, replies, applied } = stage;
    const read = await stage.read();
    const [first] = inputs;
    expect(first).to.deep.include({ kind: 'read', tag: 1 });
    expect(first).to.have.property('nowMs');
    const leaseUntilMs = clock.monotonicMs() + 100;
    replies[0]?.({ kind: 'readAt', tag: 1, index: asIndex(7), leaseUntilMs });
    await clock.advance(101);
    applied[0]?.();
    await clock.advance(1);
    expect(read.isOpen).to.equal(true);
    expect(inputs[1]).to.deep.equal({ kind: 'read', tag: 2 });
    replies[1]?.({ kind: 'readAt', tag: 2, index: asIndex(8) });
    applied[1]?.();
    await clock.advance(1);
    expect(read.isOpen).to.equal(false);
  });
});

describe('ReadClient and what is applied (thesis 6.4, step 4)', () => {
  for (const [how, lease] of [
    ['a round', {}],
    ['a lease', { leaseUntilMs: 10_000 }],
  ] as const) {
    it(`ReadClient keeps a read open that ${how} confirmed until its index is applied`, async () => {
      const stage = new Stage();
      const read = await stage.read();
      stage.replies[0]?.({ kind: 'readAt', tag: 1, index: asIndex(7), ...lease });
      await stage.clock.advance(4_000);
      expect(stage.awaited).to.deep.equal([7]);
      expect(read.isOpen).to.equal(true);
      stage.applied[0]?.();
      await stage.clock.advance(0);
      expect(read.isOpen).to.equal(false);
    });
  }

  it('ReadClient keeps a read open when only the index of an earlier round is applied', async () => {
    const stage = new Stage();
    const reads = [await stage.read(), await stage.read()];
    for (const [place, reply] of stage.replies.entries()) {
      reply({ kind: 'readAt', tag: place + 1, index: asIndex(7 + place) });
    }
    expect(stage.awaited).to.deep.equal([7, 8]);
    stage.applied[0]?.();
    await stage.clock.advance(0);
    expect(reads.map(({ isOpen }) => isOpen)).to.deep.equal([false, true]);
  });
});

describe('ReadClient while nothing is applied', () => {
  it('ReadClient has a bounded number of rounds under way, and goes on when they end', async () => {
    const { clock, replies, applied, reads } = new Stage();
    let failed = 0;
    const read = async (): Promise<void> => {
      await reads.barrier(1_000).catch(() => failed++);
    };
    for (let i = 0; i < 2_000; i++) {
      void read();
      await clock.advance(0);
      replies[i]?.({ kind: 'readAt', tag: i, index: asIndex(7) });
    }
    const rounds = replies.length;
    expect(rounds).to.be.within(1, 1_999);
    await clock.advance(1_100);
    expect(failed, 'those that wait time out').to.equal(2_000);
    for (const resolve of applied.splice(0)) resolve();
    await clock.advance(0);
    expect(replies.length, 'nobody waits any more').to.equal(rounds);
    const late = reads.barrier(1_000);
    await clock.advance(0);
    replies[rounds]?.({ kind: 'readAt', tag: rounds, index: asIndex(8) });
    for (const resolve of applied.splice(0)) resolve();
    await late;
  });
});
