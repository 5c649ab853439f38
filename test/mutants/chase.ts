import { spawn } from 'node:child_process';
import * as path from 'node:path';
import * as readline from 'node:readline';
import type { Patch } from './patch.ts';
import { makeCopy, removeCopy } from './workshop.ts';

export interface Seeds {
  readonly from: number;
  readonly count: number;
}

/** What became of a mutant; `says` is null when it survived all seeds. */
export interface Catch {
  readonly seeds: number;
  readonly says: string | null;
}

/** A seed takes a second or so; one that takes this long does not end. */
const seedMsMax = 180_000;

/**
 * Lets the simulator hunt the mutant (null: the code as it is), seed after seed. Rejects when
 * nobody can tell what became of it; `signal` ends the hunt, and nothing of it is left.
 */
export async function chase(
  patch: Patch | null,
  seeds: Seeds,
  signal?: AbortSignal,
): Promise<Catch> {
  const copy = makeCopy(patch);
  try {
    return await hunt(copy, seeds, signal);
  } finally {
    removeCopy(copy);
  }
}

/** Rejects when the hunter itself fails: that says nothing about the mutant. */
function hunt(copy: string, { from, count }: Seeds, stop?: AbortSignal): Promise<Catch> {
  const script = path.join(copy, 'test/mutants/hunt.ts');
  const flags = ['--import=tsx', script, `--seeds=${count}`, `--from=${from}`];
  const child = spawn(process.execPath, flags, {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: stop,
    killSignal: 'SIGKILL',
  });
  let errors = '';
  let done: Catch = { seeds: 0, says: null };
  const tooLong = (): void => {
    done = { seeds: done.seeds + 1, says: 'the simulation of this seed does not end' };
    child.kill('SIGKILL');
  };
  let deadline = setTimeout(tooLong, seedMsMax);
  child.stderr.on('data', (data: Buffer) => (errors = `${errors}${data.toString()}`.slice(-2000)));
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    clearTimeout(deadline);
    deadline = setTimeout(tooLong, seedMsMax);
    const { seed, failure } = JSON.parse(line) as { seed: number; failure: string | null };
    done = { seeds: seed - from + 1, says: failure };
  });
  return new Promise((resolve, reject) => {
    // Ended by the signal: it is over when the process is gone.
    child.on('error', (error) => (stop?.aborted === true ? undefined : reject(error)));
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      if (done.says !== null || done.seeds === count) resolve(done);
      else {
        const end = signal ?? String(code);
        reject(new Error(`Cannot hunt beyond ${done.seeds} seeds: ended with ${end} ${errors}`));
      }
    });
  });
}
