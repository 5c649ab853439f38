import { expect } from 'chai';
import { gentlePace } from '../../../../src/node/replica/pace.ts';
import type { Rest } from '../../../../src/node/replica/pace.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** Works for so long; how long the rest after it is. */
async function restedMs(clock: VirtualClock, rest: Rest, workMs: number): Promise<number> {
  await clock.advance(workMs);
  const fromMs = clock.monotonicMs();
  let untilMs = -1;
  void rest().then(() => (untilMs = clock.monotonicMs()));
  for (let i = 0; i < 20 && untilMs < 0; i++) await clock.advance(1);
  return untilMs - fromMs;
}

describe('gentlePace()', () => {
  it('rests as long as the last piece of work took, and not for the rest before', async () => {
    const clock = new VirtualClock();
    const rest = gentlePace(clock);
    expect(await restedMs(clock, rest, 4)).to.equal(4);
    expect(await restedMs(clock, rest, 7)).to.equal(7);
  });

  it('rests not at all after no work, and never long', async () => {
    const clock = new VirtualClock();
    const rest = gentlePace(clock);
    expect(await restedMs(clock, rest, 0)).to.equal(0);
    expect(await restedMs(clock, rest, 500)).to.equal(10);
  });
});
