import { setTimeout as delay } from 'node:timers/promises';

/** From SIGTERM to SIGKILL. */
export const killGraceMs = 5_000;
const pollMs = 50;

/** Signals every process of the group that `pid` leads; false when there is none any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    // EPERM: a member runs as somebody else (sudo, setuid). It is there, and out of reach.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Resolves when the group is gone (true) or after `limitMs` (false). */
export async function groupGone(pid: number, limitMs: number): Promise<boolean> {
  const untilMs = performance.now() + limitMs;
  while (signalGroup(pid, 0)) {
    if (performance.now() >= untilMs) return false;
    await delay(Math.min(pollMs, limitMs));
  }
  return true;
}
