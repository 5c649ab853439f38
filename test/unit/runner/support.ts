import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ScriptJob } from '../../../src/runner/index.ts';
import type { Logger } from '../../../src/shared/index.ts';

const noop = (): void => undefined;
export const silentLogger: Logger = { debug: noop, info: noop, warn: noop, error: noop };

/** A folder for one test file's scripts. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'quorate-runner-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes an executable shell script and returns its path. */
  script(name: string, body: string): string {
    const file = this.path(name);
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : '';
  }

  clear(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function job(file: string, difference: Partial<ScriptJob> = {}): ScriptJob {
  return { kind: 'verify', file, args: [], env: {}, stdin: null, timeoutMs: 5_000, ...difference };
}

/** Waits until `holds`, or fails with `what` after `limitMs`. */
export async function until(what: string, holds: () => boolean, limitMs = 5_000): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > untilMs) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await delay(10);
  }
}

/** True while the process is there (a zombie counts as gone). */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
