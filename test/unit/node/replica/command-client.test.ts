import { expect } from 'chai';
import type { Applied } from '../../../../src/node/replica/command-client.ts';
import { CommandClient } from '../../../../src/node/replica/command-client.ts';
import type { ProposalOutcome } from '../../../../src/node/replica/proposer.ts';
import type { PeerId } from '../../../../src/shared/index.ts';
import { asPeerId, asRevision, QuorateError } from '../../../../src/shared/index.ts';
import type { WireOutcome } from '../../../../src/wire/index.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { deferred, stateOf } from '../support.ts';

const applied: Applied = { ok: true, revision: asRevision(7), changed: true, branch: 'then' };
const timeoutMs = 5_000;

/** A client whose leader is played by the test. */
class Stage {
  readonly clock = new VirtualClock();
  leader: PeerId | null = null;
  isLeader = false;
  /** Proposals made here that are not answered. */
  readonly proposed: ((outcome: ProposalOutcome) => void)[] = [];
  /** Calls to a leader elsewhere that are not answered. */
  readonly calls: {
    readonly to: PeerId;
    readonly count: number;
    readonly answer: ReturnType<typeof deferred<readonly WireOutcome[]>>;
  }[] = [];
  readonly client = new CommandClient({
    clock: this.clock,
    leader: () => this.leader,
    isLeader: () => this.isLeader,
    proposeHere: (_envelope, resolve) => this.proposed.push(resolve),
    forward: (to, envelopes) => {
      const answer = deferred<readonly WireOutcome[]>();
      this.calls.push({ to, count: envelopes.length, answer });
      return answer.promise;
    },
  });

  run(isRepeatable: boolean): Promise<Applied> {
    const done = this.client.run(Uint8Array.of(1), timeoutMs, { isRepeatable });
    done.catch(() => undefined);
    return done;
  }

  leads(leader: string | null): void {
    this.isLeader = leader === 'self';
    this.leader = leader === null ? null : asPeerId(leader);
    this.client.onLeaderChange();
  }
}

describe('CommandClient', () => {
  it('run says unknown outcome when nobody can tell and nothing keeps a repetition apart', async () => {
    const stage = new Stage();
    stage.leads('self');
    const done = stage.run(false);
    stage.proposed[0]?.({ kind: 'unknown' });
    expect(await stateOf(done)).to.equal('UNKNOWN_OUTCOME');
  });

  it('run of a session tries again what nobody can tell, until there is an answer', async () => {
    const stage = new Stage();
    stage.leads('self');
    const done = stage.run(true);
    stage.proposed[0]?.({ kind: 'unknown' });
    await stage.clock.advance(100);
    expect(stage.proposed).to.have.lengthOf(2);
    stage.proposed[1]?.({ kind: 'applied', result: applied });
    expect(await done).to.deep.equal(applied);
  });

  it('run of a session does not wait for the answer of a leader that was replaced', async () => {
    const stage = new Stage();
    stage.leads('node2');
    const done = stage.run(true);
    const other = stage.run(false);
    await stage.clock.advance(1);
    expect(stage.calls.map(({ to, count }) => [to, count])).to.deep.equal([['node2', 2]]);
    stage.leads(null);
    stage.leads('node3');
    await stage.clock.advance(1);
    expect(stage.calls[1]).to.include({ to: 'node3', count: 1 });
    stage.calls[1]?.answer.resolve([
      { kind: 'applied', revision: 7, changed: true, branch: 'then' },
    ]);
    expect(await done).to.include(applied);
    expect(await stateOf(other)).to.equal('open');
    stage.calls[0]?.answer.reject(new QuorateError('UNKNOWN_OUTCOME', 'Cut off'));
    expect(await stateOf(other)).to.equal('UNKNOWN_OUTCOME');
  });

  it('run of a session ends as unknown outcome when an early try may have come through', async () => {
    for (const later of [
      () => undefined,
      (stage: Stage) =>
        stage.proposed[1]?.({ kind: 'refused', reason: 'overloaded', message: 'full' }),
      (stage: Stage) => stage.proposed[1]?.({ kind: 'lost' }),
    ]) {
      const stage = new Stage();
      stage.leads('self');
      const done = stage.run(true);
      stage.proposed[0]?.({ kind: 'unknown' });
      await stage.clock.advance(100);
      later(stage);
      stage.leads(null);
      await stage.clock.advance(timeoutMs);
      expect(await stateOf(done)).to.equal('UNKNOWN_OUTCOME');
    }
  });

  it('run says no leader when nothing was ever sent', async () => {
    const stage = new Stage();
    const done = stage.run(true);
    await stage.clock.advance(timeoutMs + 100);
    expect(await stateOf(done)).to.equal('NO_LEADER');
  });

  it('run that the leader has no room for says what bound it met, here or elsewhere', async () => {
    const message = 'Cannot append a command within 67108864 uncommitted bytes: 67108870';
    const refused = { kind: 'refused', reason: 'overloaded', message } as const;
    const stage = new Stage();
    stage.leads('self');
    const here = stage.run(true);
    stage.proposed[0]?.(refused);
    stage.leads('node2');
    const elsewhere = stage.run(false);
    await stage.clock.advance(1);
    stage.calls[0]?.answer.resolve([refused]);
    for (const done of [here, elsewhere]) {
      expect(await stateOf(done)).to.equal('OVERLOADED');
      expect(await done.catch((error: unknown) => String(error))).to.include(message);
    }
  });

  it('abandon ends every command: as stopped, or as unknown when it was sent', async () => {
    const stage = new Stage();
    const parked = stage.run(true);
    stage.leads('self');
    stage.isLeader = false;
    stage.leader = null;
    const waiting = stage.run(true);
    stage.client.abandon();
    expect(await stateOf(parked)).to.equal('UNKNOWN_OUTCOME');
    expect(await stateOf(waiting)).to.equal('STOPPED');
    stage.proposed[0]?.({ kind: 'unknown' });
    expect(await stateOf(stage.run(true))).to.equal('STOPPED');
  });
});
