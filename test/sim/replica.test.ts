import { expect } from 'chai';
import { addCounts, noCounts } from '../support/sim/counts.ts';
import { simulate } from '../support/sim/simulation.ts';

const SEEDS = 40;
const seedMsMax = 60_000;

describe('Replica in a simulated cluster', () => {
  const total = noCounts();

  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`Replica keeps Raft's properties, its promises to clients, and recovers (seed ${seed})`, async function () {
      this.timeout(seedMsMax);
      const report = await simulate(seed);
      addCounts(total, report.counts);
      if (report.failure === null) return;
      const again = `npm run sim -- --seeds=1 --from=${seed}`;
      const text = `${report.tail(60).join('\n')}\n${report.failure.message}\nAgain: ${again}`;
      throw new Error(text, { cause: report.failure });
    });
  }

  it('the simulator gives the same trace for the same seed, another one for another', async function () {
    this.timeout(3 * seedMsMax);
    const [first, again, other] = [await simulate(2), await simulate(2), await simulate(4)];
    expect(again.traceHash).to.equal(first.traceHash);
    expect(again.events).to.equal(first.events);
    expect(other.traceHash).not.to.equal(first.traceHash);
  });

  it('the simulator disturbs: all that it is there for happens many times', () => {
    const atLeast = (name: keyof typeof total, count: number): void => {
      expect(total[name], name).to.be.at.least(count);
    };
    atLeast('elections', 4 * SEEDS);
    atLeast('truncations', SEEDS / 2);
    atLeast('compactions', 10 * SEEDS);
    atLeast('installs', SEEDS);
    atLeast('crashes', 2 * SEEDS);
    atLeast('kills', SEEDS / 2);
    atLeast('stops', SEEDS / 2);
    atLeast('pauses', SEEDS / 2);
    atLeast('partitions', 2 * SEEDS);
    atLeast('diskFaults', SEEDS / 2);
    atLeast('memberChanges', 2 * SEEDS);
    atLeast('replacements', SEEDS / 2);
    atLeast('writesAcked', 200 * SEEDS);
    atLeast('readsAnswered', 100 * SEEDS);
  });
});
