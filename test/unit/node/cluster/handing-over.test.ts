import { expect } from 'chai';
import { handOverTo } from '../../../../src/node/cluster/handing-over.ts';
import type { RefusalReason, Reply } from '../../../../src/raft/index.ts';
import type { PeerId } from '../../../../src/shared/index.ts';
import { configurationOf, peer } from '../../../support/raft-fixtures.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { stateOf } from '../support.ts';

/** A leader whose core answers as the test says, attempt by attempt; the last answer stays. */
class Stage {
  readonly clock = new VirtualClock();
  readonly attempts: (PeerId | null)[] = [];

  begin(timeoutMs: number, ...answers: readonly (RefusalReason | 'transferred')[]): Promise<void> {
    const transfer = (to: PeerId | null): Promise<Reply> => {
      const answer = answers[Math.min(this.attempts.length, answers.length - 1)] ?? 'transferred';
      this.attempts.push(to);
      if (answer === 'transferred') return Promise.resolve({ kind: answer, tag: 1 });
      const message = `the core says ${answer}`;
      return Promise.resolve({ kind: 'refused', tag: 1, reason: answer, leader: null, message });
    };
    const configuration = configurationOf('a b', 'c');
    const replica = { self: peer('a'), isLeader: true, configuration, transfer };
    const done = handOverTo({ replica, clock: this.clock }, 'b', timeoutMs);
    done.catch(() => undefined);
    return done;
  }
}

describe('handOverTo()', () => {
  it('gives a silent member 2 s to return, however long the caller would wait', async () => {
    const stage = new Stage();
    const done = stage.begin(60_000, 'unreachable');
    await stage.clock.advance(1_900);
    expect(await stateOf(done)).to.equal('open');
    await stage.clock.advance(200);
    expect(await stateOf(done)).to.equal('CONFLICT');
    expect(await done.catch((error: unknown) => String(error))).to.include('says unreachable');
  });

  it('says of a silent member that nothing was done, when the caller waits for less', async () => {
    const stage = new Stage();
    const done = stage.begin(100, 'unreachable');
    await stage.clock.advance(200);
    expect(await stateOf(done)).to.equal('CONFLICT');
  });

  it('tries again until a member that answers again leads', async () => {
    const stage = new Stage();
    const done = stage.begin(60_000, 'unreachable', 'abandoned', 'busy', 'transferred');
    await stage.clock.advance(500);
    expect(await stateOf(done)).to.equal(undefined);
    expect(stage.attempts).to.deep.equal(Array(4).fill(peer('b')));
  });

  it('leaves ever more time between attempts that fail, for each keeps commands out', async () => {
    const stage = new Stage();
    void stage.begin(60_000, 'abandoned').catch(() => undefined);
    await stage.clock.advance(20_000);
    expect(stage.attempts).to.have.length.within(10, 16);
  });

  it('cannot tell what came of attempts that were not answered in time', async () => {
    const stage = new Stage();
    const done = stage.begin(1_000, 'abandoned');
    await stage.clock.advance(1_100);
    expect(await stateOf(done)).to.equal('UNKNOWN_OUTCOME');
  });
});
