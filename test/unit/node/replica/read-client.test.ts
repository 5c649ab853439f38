import { expect } from 'chai';
import { ReadClient } from '../../../../src/node/replica/read-client.ts';
import type { RaftInput, Reply } from '../../../../src/raft/index.ts';
import { asIndex } from '../../../../src/shared/index.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

describe('ReadClient and leases', () => {
  it('ReadClient asks for a round when the lease ran out before the state was there', async () => {
    const clock = new VirtualClock();
    const inputs: RaftInput[] = [];
    const replies: ((reply: Reply) => void)[] = [];
    const applied: (() => void)[] = [];
    const reads = new ReadClient(
      {
        tag: (onReply) => replies.push(onReply),
        submit: (input) => void inputs.push(input),
      },
      { whenApplied: (_index, resolve) => void applied.push(resolve) },
      clock,
    );
    let isDone = false;
    void reads.barrier(5_000).then(() => (isDone = true));
    await clock.advance(1);
    const [first] = inputs;
    expect(first).to.deep.include({ kind: 'read', tag: 1 });
    expect(first).to.have.property('nowMs');
    const leaseUntilMs = clock.monotonicMs() + 100;
    replies[0]?.({ kind: 'readAt', tag: 1, index: asIndex(7), leaseUntilMs });
    await clock.advance(101);
    applied[0]?.();
    await clock.advance(1);
    expect(isDone).to.equal(false);
    expect(inputs[1]).to.deep.equal({ kind: 'read', tag: 2 });
    replies[1]?.({ kind: 'readAt', tag: 2, index: asIndex(8) });
    applied[1]?.();
    await clock.advance(1);
    expect(isDone).to.equal(true);
  });
});

describe('ReadClient while nothing is applied', () => {
  it('ReadClient has a bounded number of rounds under way, and goes on when they end', async () => {
    const clock = new VirtualClock();
    const replies: ((reply: Reply) => void)[] = [];
    const applied: (() => void)[] = [];
    const reads = new ReadClient(
      { tag: (onReply) => replies.push(onReply), submit: () => undefined },
      { whenApplied: (_index, resolve) => void applied.push(resolve) },
      clock,
    );
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
