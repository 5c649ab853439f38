import { expect } from 'chai';
import { judgeAttempt, retryDelayMs, StallGuard } from '../../../src/health/index.ts';
import type { AttemptEnd } from '../../../src/health/index.ts';

describe('StallGuard', () => {
  const open = (): StallGuard =>
    new StallGuard({ intervalMs: 10_000, beatMs: 500, lateMsMax: 2_000 }, 0);

  it('abstains() after a beat that was late by more than 2 s, for one interval', () => {
    const guard = open();
    expect(guard.beat(500)).to.equal(0);
    expect(guard.beat(3_000), 'late by 2 s exactly').to.equal(2_000);
    expect(guard.abstains(3_000)).to.equal(false);
    expect(guard.beat(5_501)).to.equal(2_001);
    expect(guard.abstains(5_501)).to.equal(true);
    for (let at = 6_000; at < 15_501; at += 500) guard.beat(at);
    expect(guard.abstains(15_500)).to.equal(true);
    expect(guard.abstains(15_501)).to.equal(false);
    expect(guard.stalledAtMs).to.equal(5_501);
  });

  it('abstains() from a second stall on for another interval', () => {
    const guard = open();
    guard.beat(5_000);
    for (let at = 5_500; at <= 12_000; at += 500) guard.beat(at);
    guard.beat(16_000);
    for (let at = 16_500; at <= 25_500; at += 500) guard.beat(at);
    expect(guard.abstains(25_999)).to.equal(true);
  });

  it('abstains() notices a stall before the late beat itself has run', () => {
    const guard = open();
    expect(guard.abstains(2_501)).to.equal(true);
    expect(guard.stalledAtMs).to.equal(2_501);
  });
});

describe('judgeAttempt()', () => {
  const end = (difference: Partial<AttemptEnd>): AttemptEnd => ({
    exitCode: 0,
    signal: null,
    timedOut: false,
    ...difference,
  });

  it('takes 0 for done, 100 for given up and anything else for another try', () => {
    const outcome = (difference: Partial<AttemptEnd>): string =>
      judgeAttempt(end(difference), 1, 10).outcome;
    expect(outcome({})).to.equal('done');
    expect(outcome({ exitCode: 100 })).to.equal('failed');
    expect(outcome({ exitCode: 1 })).to.equal('retry');
    expect(outcome({ exitCode: 101 })).to.equal('retry');
    expect(outcome({ exitCode: null, signal: 'SIGKILL' })).to.equal('retry');
    expect(outcome({ timedOut: true }), 'exit 0 after the deadline').to.equal('retry');
    expect(outcome({ exitCode: null }), 'could not be started').to.equal('retry');
  });

  it('gives up with the last attempt', () => {
    const failing = end({ exitCode: 1 });
    expect(judgeAttempt(failing, 9, 10).outcome).to.equal('retry');
    const last = judgeAttempt(failing, 10, 10);
    expect(last.outcome).to.equal('failed');
    expect(last.reason).to.equal('it exited with 1, the last of 10 attempts');
    expect(judgeAttempt(end({}), 10, 10).outcome).to.equal('done');
  });

  it('retryDelayMs() doubles from 5 s to 60 s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 100].map((attempt) => retryDelayMs(attempt) / 1_000);
    expect(delays).to.deep.equal([5, 10, 20, 40, 60, 60, 60]);
  });
});
