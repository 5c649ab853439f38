import { parseArgs } from 'node:util';
import { addCounts, noCounts } from '../support/sim/counts.ts';
import { simulate } from '../support/sim/simulation.ts';
import type { SimulationReport } from '../support/sim/simulation.ts';

/**
 * Runs simulations: `npm run sim -- --seeds=100 --from=1`. Each seed is one cluster, one storm and
 * one recovery in virtual time. Ends with 1 when a seed failed, after saying how to run it again.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    /** Lines of the trace that a failure shows. */
    lines: { type: 'string', default: '80' },
    /** Goes on after a failure. */
    all: { type: 'boolean', default: false },
  },
});

function describe({
  seed,
  virtualMs,
  events,
  traceHash,
  counts,
  profile,
}: SimulationReport): string {
  const { elections, truncations, installs, crashes, kills, writesAcked, readsAnswered } = counts;
  return (
    `seed ${seed}: ${profile.nodeCount} nodes, ${(virtualMs / 1000).toFixed(1)} s virtual, ` +
    `${events} events, elections ${elections}, truncations ${truncations}, installs ${installs}, ` +
    `crashes ${crashes}, kills ${kills}, writes ${writesAcked}, reads ${readsAnswered}, ` +
    `trace ${traceHash}`
  );
}

function showFailure(report: SimulationReport): void {
  console.log(report.tail(Number(values.lines)).join('\n'));
  console.log(`FAILED seed ${report.seed}: ${report.failure?.stack ?? ''}`);
  if (report.failure?.cause !== undefined) console.log('because of', report.failure.cause);
  console.log(`Again: npm run sim -- --seeds=1 --from=${report.seed}`);
}

const from = Number(values.from);
const total = noCounts();
let failed = 0;
const startedMs = Date.now();
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const report = await simulate(seed);
  addCounts(total, report.counts);
  console.log(describe(report));
  if (report.failure === null) continue;
  failed++;
  showFailure(report);
  if (!values.all) break;
}
console.log(total);
console.log(`${((Date.now() - startedMs) / 1000).toFixed(1)} s; ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
