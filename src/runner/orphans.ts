import { groupGone, killGraceMs, signalGroup } from './process-group.ts';

/** After SIGKILL a group should be gone; a zombie that nobody reaps must not hold us up. */
const goneMsMax = 1_000;

/**
 * Sees off a script whose runner process died. A verification is killed; a notification may end by
 * itself until its deadline, so that its retry never runs beside it.
 */
export async function seeOff(pid: number, leftMs: number): Promise<void> {
  if (leftMs > 0 && (await groupGone(pid, leftMs))) return;
  if (leftMs > 0) {
    signalGroup(pid, 'SIGTERM');
    if (await groupGone(pid, killGraceMs)) return;
  }
  signalGroup(pid, 'SIGKILL');
  await groupGone(pid, goneMsMax);
}
