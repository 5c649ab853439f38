import { parseArgs } from 'node:util';
import { simulate } from '../support/sim/simulation.ts';

/**
 * Runs in a copy of the project: one seed after the other until one fails. A line of JSON for each.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '400' },
    from: { type: 'string', default: '1' },
  },
});

const first = Number(values.from);
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const { failure } = await simulate(seed);
  console.log(JSON.stringify({ seed, failure: failure?.message ?? null }));
  if (failure !== null) break;
}
