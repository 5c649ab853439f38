import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { mainFile, projectRoot } from '../support/e2e/index.ts';

/** The share of every run of the tests; `npm run torture` is the long form. */
const minutes = 2;
const msMax = 6 * 60_000;
const program = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs it to its end, which comes early and orderly when standard input ends. */
function torture(options: readonly string[]): Promise<number | null> {
  const args = ['--import=tsx', program, `--minutes=${minutes}`, ...options];
  const child = spawn(process.execPath, args, {
    cwd: projectRoot,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const stop = (): boolean => child.kill('SIGTERM');
  process.once('exit', stop);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('exit', stop);
      resolve(code);
    });
  });
}

describe('Real nodes under torture', function () {
  this.timeout(msMax);
  before(function () {
    mainFile();
  });

  it('five nodes lose nothing, answer in one order and end up equal', async () => {
    expect(await torture([])).to.equal(0);
  });
});
