import { parseArgs } from 'node:util';
import { chase } from './chase.ts';
import type { Catch, Seeds } from './chase.ts';
import type { Patch } from './patch.ts';
import { changesOf, readPatches } from './workshop.ts';

/**
 * Proves that the simulator sees what it is there for: `npm run sim:mutants`.
 *
 * Each file in patches/ puts one mistake into a copy of the project that other implementations
 * really made, or that is one slip away. The simulator then runs its general profile on that
 * copy, seed after seed, until one fails. It knows nothing of the mistake, and production code
 * has no hooks for it. First the code as it is must pass, and so it must at each seed that catches a
 * mutant. Ends with 1 when a mutant survives, when a patch does not apply any more, or when the code
 * as it is fails.
 *
 *   --seeds=1000   at most so many per mutant
 *   --from=1       the first of them
 *   --jobs=2       mutants at a time
 *   --only=07,vote mutants whose names contain one of these
 *   --control=20   seeds for the code as it is
 *
 * A new mutant: change src, `git diff src > test/mutants/patches/NN-name.patch`, undo the change, and put
 * the lines `Bug: ...` and `Goes wrong: ...` on top.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    control: { type: 'string', default: '20' },
  },
});

const wanted = values.only.split(',');
const patches = readPatches().filter(({ name }) => wanted.some((one) => name.includes(one)));
const seeds: Seeds = { from: Number(values.from), count: Number(values.seeds) };
/** Ctrl-C ends the hunters too, and takes their copies away. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
/** What became of each mutant; an error when nobody can tell. */
const results = new Map<Patch, Catch | Error>();

const nameWidth = Math.max(...patches.map(({ name }) => name.length), 0);
const saysWidth = 110;

function lineOf({ name }: Patch, result: Catch | Error): string {
  const start = name.padEnd(nameWidth);
  if (result instanceof Error) return `${start}   ERROR  ${result.message}`;
  if (result.says === null) return `${start} ${String(result.seeds).padStart(5)}+ SURVIVES`;
  const says = (result.says.split('\n')[0] ?? '').slice(0, saysWidth);
  return `${start} ${String(result.seeds).padStart(5)}  ${says}`;
}

async function chaseAll(): Promise<void> {
  const waiting = [...patches];
  const work = async (): Promise<void> => {
    for (let patch = waiting.shift(); patch !== undefined; patch = waiting.shift()) {
      const result = await catchOf(patch).catch((error: unknown) => error as Error);
      if (stop.signal.aborted) return;
      results.set(patch, result);
      console.log(lineOf(patch, result));
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
}

/** A seed that fails without the mutant as well says nothing about it. */
async function catchOf(patch: Patch): Promise<Catch> {
  const caught = await chase(patch, seeds, stop.signal);
  if (caught.says === null) return caught;
  const seed = seeds.from + caught.seeds - 1;
  const { says } = await chase(null, { from: seed, count: 1 }, stop.signal);
  if (says === null) return caught;
  throw new Error(`Cannot tell: seed ${seed} fails without the mutant too: ${says}`);
}

const isCaught = (result: Catch | Error | undefined): boolean =>
  result !== undefined && !(result instanceof Error) && result.says !== null;

function showTable(): void {
  console.log(`\n${'mutant'.padEnd(nameWidth)} seeds  what the check said`);
  for (const patch of patches) {
    const result = results.get(patch);
    if (result !== undefined) console.log(`${lineOf(patch, result)}\n    ${patch.bug}`);
  }
  const caught = patches.filter((patch) => isCaught(results.get(patch))).length;
  console.log(`\n${caught} of ${patches.length} mutants caught`);
}

for (const patch of patches) changesOf(patch);
const control = await chase(
  null,
  { from: seeds.from, count: Number(values.control) },
  stop.signal,
).catch((error: unknown) => error as Error);
if (control instanceof Error) {
  console.log(`The code as it is: ERROR  ${control.message}`);
} else {
  console.log(`The code as it is: ${control.seeds} seeds, ${control.says ?? 'no complaint'}`);
  if (control.says === null) {
    await chaseAll();
    showTable();
  }
}
process.exitCode = patches.length > 0 && patches.every((one) => isCaught(results.get(one))) ? 0 : 1;
