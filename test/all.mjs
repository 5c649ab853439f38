// Everything that CI checks, as people run it: `npm test`. Node built-ins only.
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from '../scripts/setup.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const mocha = (...specs) => [bin('mocha'), ...specs.flatMap((spec) => ['--spec', spec])];

const steps = [
  ['format', [bin('prettier'), '--check', '--log-level=warn', '.']],
  ['types', [bin('tsc'), '-p', 'tsconfig.json']],
  ['lint', [bin('eslint'), '.']],
  ['layers', [bin('depcruise'), '--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src']],
  ['dead code', [bin('knip')]],
  ['unit', [bin('c8'), ...mocha('test/unit/**/*.test.ts', 'test/contract/**/*.test.ts')]],
  ['simulation', mocha('test/sim/**/*.test.ts')],
  ['end to end', mocha('test/e2e/**/*.test.ts')],
];

setUp();
const wanted = process.argv.slice(2);
const started = Date.now();
let failed = 0;
for (const [name, [command, ...commandArguments]] of steps) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const stepStarted = Date.now();
  console.log(`--- ${name}`);
  const { status } = spawnSync(command, commandArguments, { cwd: root, stdio: 'inherit' });
  const seconds = ((Date.now() - stepStarted) / 1000).toFixed(1);
  console.log(`--- ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  if (status !== 0) failed++;
}
const seconds = ((Date.now() - started) / 1000).toFixed(1);
console.log(`All steps took ${seconds} s; ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
