/**
 * The runner process. It lives beside the daemon because a fork stalls the event loop of a process
 * with much memory, and because scripts must not outlive their daemon unattended.
 */
import type { FromRunner, ToRunner } from './messages.ts';
import { signalGroup } from './process-group.ts';
import { startScript } from './run-script.ts';
import { emptyResult } from './types.ts';
import type { JobKind, RunResult, ScriptJob } from './types.ts';

interface Running {
  readonly kind: JobKind;
  readonly pid: number;
  stopped: boolean;
}

const running = new Map<number, Running>();

function tell(message: FromRunner): void {
  if (!process.connected) return;
  // The daemon may die at any moment: `disconnect` says so, a failed send adds nothing.
  process.send?.(message, undefined, undefined, () => undefined);
}

function start(id: number, job: ScriptJob): void {
  const { pid, result } = startScript(job);
  if (pid !== null) {
    running.set(id, { kind: job.kind, pid, stopped: false });
    tell({ kind: 'started', id, pid });
  }
  void result.then((ended) => {
    finish(id, ended);
  });
}

function finish(id: number, result: RunResult): void {
  const stopped = running.get(id)?.stopped === true;
  running.delete(id);
  const lost = stopped ? 'it was killed as the daemon stops' : null;
  tell({ kind: 'ended', id, result: { ...result, lost } });
  leaveWhenIdle();
}

function stopVerifying(): void {
  for (const script of running.values()) {
    if (script.kind !== 'verify') continue;
    script.stopped = true;
    signalGroup(script.pid, 'SIGKILL');
  }
}

/** Without its daemon the process only waits for notifications that still run. */
function leaveWhenIdle(): void {
  if (!process.connected && running.size === 0) process.exit(0);
}

function onMessage(message: ToRunner): void {
  if (message.kind === 'stopVerifying') stopVerifying();
  else {
    try {
      start(message.id, message.job);
    } catch (error) {
      finish(message.id, emptyResult({ startError: String(error) }));
    }
  }
}

process.on('message', onMessage);
process.on('disconnect', () => {
  stopVerifying();
  leaveWhenIdle();
});
// Ctrl-C and a service manager signal every process they find; the daemon says when to stop.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
tell({ kind: 'ready' });
