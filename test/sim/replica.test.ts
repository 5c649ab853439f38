import { expect } from 'chai';
import { addCounts, addFaults, noCounts } from '../support/sim/counts.ts';
import type { FaultCounts } from '../support/sim/counts.ts';
import type { Fault, ProfileName } from '../support/sim/profile.ts';
import { profileNames } from '../support/sim/profile.ts';
import { seedReportOf } from '../support/sim/seed-report.ts';
import { simulate } from '../support/sim/simulation.ts';

const SEEDS = 20;
const SEEDS_OF_OTHERS = 3;
const seedMsMax = 60_000;

describe('Replica in a simulated cluster', () => {
  const total = noCounts();
  const faults: FaultCounts = new Map();
  let voids = 0;

  const simulated = (profile: ProfileName, seed: number): void => {
    it(`Replica keeps Raft's properties, its promises to clients, and recovers (${profile}, seed ${seed})`, async function () {
      this.timeout(seedMsMax);
      const report = await simulate(seed, profile);
      addCounts(total, report.counts);
      addFaults(faults, report.faults);
      if (report.isVoid) voids++;
      if (report.failure === null) return;
      throw new Error(seedReportOf(report, 60).failure ?? '', { cause: report.failure });
    });
  };

  for (const profile of profileNames) {
    const seeds = profile === 'general' ? SEEDS : SEEDS_OF_OTHERS;
    for (let seed = 1; seed <= seeds; seed++) simulated(profile, seed);
  }

  it('the simulator gives the same trace for the same seed, another one for another', async function () {
    this.timeout(3 * seedMsMax);
    const [first, again, other] = [await simulate(3), await simulate(3), await simulate(4)];
    expect(again.traceHash).to.equal(first.traceHash);
    expect(again.events).to.equal(first.events);
    expect(other.traceHash).not.to.equal(first.traceHash);
  });

  it('the simulator disturbs: all that it is there for happens many times', () => {
    const atLeast = (name: keyof typeof total, count: number): void => {
      expect(total[name], name).to.be.at.least(count);
    };
    const hits = (name: Fault, count: number): void => {
      expect(faults.get(name) ?? 0, name).to.be.at.least(count);
    };
    expect(voids).to.be.at.most(SEEDS / 4);
    atLeast('elections', 8 * SEEDS);
    atLeast('truncations', SEEDS);
    atLeast('compactions', 20 * SEEDS);
    atLeast('installs', SEEDS);
    atLeast('configurations', 4 * SEEDS);
    atLeast('jointChanges', SEEDS);
    atLeast('transfers', SEEDS / 4);
    atLeast('rebuilds', 3);
    atLeast('repetitions', SEEDS);
    atLeast('writesAcked', 300 * SEEDS);
    atLeast('readsAnswered', 100 * SEEDS);
    for (const fault of ['powerCut', 'crashAtStep', 'kill', 'isolate'] as const) hits(fault, SEEDS);
    for (const fault of ['pause', 'freeze', 'split', 'oneWay', 'tangle'] as const) hits(fault, 10);
    for (const fault of [
      'comeback',
      'hiccup',
      'badNetwork',
      'brokenConnection',
      'slowDial',
    ] as const) {
      hits(fault, 10);
    }
    for (const fault of ['staleSnapshot', 'engineError'] as const) hits(fault, 3);
    hits('promote', 1);
    for (const fault of ['stop', 'slowDisk', 'hungDisk', 'clockJump'] as const) hits(fault, 10);
    for (const fault of ['lostFrame', 'repeated', 'reordered', 'shortWrite'] as const) {
      hits(fault, 10 * SEEDS);
    }
    for (const fault of ['EIO', 'ENOSPC', 'wipe'] as const) hits(fault, 2);
    // So few seeds may leave one of these ways out.
    const damages = ['bitFlip', 'lostFile', 'misplacedFile', 'tornSector'] as const;
    const damaged = damages.reduce((sum, name) => sum + (faults.get(name) ?? 0), 0);
    expect(damaged, damages.join()).to.be.at.least(5);
    for (const fault of ['fullDisk', 'laterRelease', 'laterCommand'] as const) hits(fault, 2);
    for (const fault of ['evict', 'churn', 'update', 'nonsense', 'transfer'] as const)
      hits(fault, 3);
  });
});
