// Everything that CI checks, as people run it: `npm test`. Node built-ins only.
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from '../scripts/setup.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** Scripts of package.json, in the order of what fails fastest. */
const steps = [
  ...['format', 'types', 'lint', 'layers', 'dead'],
  ...['unit', 'simulation', 'e2e', 'torture-tests'],
];

setUp();
const wanted = process.argv.slice(2);
const started = Date.now();
let failed = 0;
for (const name of steps) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const stepStarted = Date.now();
  console.log(`--- ${name}`);
  const run = ['run', '--silent', name];
  const { status } = spawnSync('npm', run, { cwd: root, stdio: 'inherit' });
  const seconds = ((Date.now() - stepStarted) / 1000).toFixed(1);
  console.log(`--- ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  if (status !== 0) failed++;
}
const seconds = ((Date.now() - started) / 1000).toFixed(1);
console.log(`All steps took ${seconds} s; ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
