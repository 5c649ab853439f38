import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { Options } from 'execa';
import { OutputCollector } from './output-collector.ts';
import { groupGone, killGraceMs, signalGroup } from './process-group.ts';
import { emptyResult } from './types.ts';
import type { RunResult, ScriptJob } from './types.ts';

const outputBytesDefault = 4_096;
/** What the pipes still hold when the script has ended is read for this long at most. */
const drainMsMax = 300;

const scriptOptions = {
  // Its own process group, so that a signal reaches what the script has started as well.
  detached: true,
  cleanup: false,
  reject: false,
  buffer: false,
  stripFinalNewline: false,
  encoding: 'buffer',
  stdout: 'pipe',
  stderr: 'pipe',
} as const satisfies Options;

function spawnScript({ file, args, env, stdin }: ScriptJob) {
  const subprocess = execa(file, args, {
    ...scriptOptions,
    env,
    stdin: stdin === null ? 'ignore' : 'pipe',
  });
  // A script need not read what it is given.
  subprocess.stdin?.on('error', () => undefined).end(stdin ?? undefined);
  return subprocess;
}

type Subprocess = ReturnType<typeof spawnScript>;

/** A script on its way. */
export interface StartedScript {
  /** Leader of its process group; null: it could not be started. */
  readonly pid: number | null;
  /** Settles when the script has ended and its slot is free; never rejects. */
  readonly result: Promise<RunResult>;
}

/** Starts `job` as an argument array in a process group of its own. */
export function startScript(job: ScriptJob): StartedScript {
  const startedAtMs = performance.now();
  const subprocess = spawnScript(job);
  const { pid } = subprocess;
  if (pid === undefined) return { pid: null, result: startFailure(subprocess) };
  return { pid, result: attend(job, { subprocess, pid, startedAtMs }) };
}

async function startFailure(subprocess: Subprocess): Promise<RunResult> {
  const { originalMessage, shortMessage } = await subprocess;
  return emptyResult({ startError: originalMessage ?? shortMessage ?? 'unknown reason' });
}

interface Attended {
  readonly subprocess: Subprocess;
  readonly pid: number;
  readonly startedAtMs: number;
}

async function attend(job: ScriptJob, script: Attended): Promise<RunResult> {
  const { subprocess, pid, startedAtMs } = script;
  const outputs = collectOutput(subprocess, job.outputBytesMax ?? outputBytesDefault);
  const deadline = startDeadline(pid, job.timeoutMs);
  const [exitCode, signal] = (await once(subprocess, 'exit')) as [number | null, string | null];
  const durationMs = performance.now() - startedAtMs;
  clearTimeout(deadline.timer);
  await clearGroup(job, { pid, deadline });
  await drainThenClose(subprocess);
  return emptyResult({
    exitCode,
    signal,
    timedOut: deadline.reached,
    stdout: outputs.stdout.text(),
    output: outputs.all.text(),
    durationMs: Math.round(durationMs),
  });
}

/**
 * After a timeout nothing of the group may stay. What a verification left behind would only pile up;
 * what a notification left behind when it ended by itself is its own business.
 */
async function clearGroup(
  job: ScriptJob,
  { pid, deadline }: { readonly pid: number; readonly deadline: Deadline },
): Promise<void> {
  if (!deadline.reached && job.kind === 'notify') return;
  if (deadline.reached && (await groupGone(pid, deadline.killInMs()))) return;
  signalGroup(pid, 'SIGKILL');
}

interface Outputs {
  readonly stdout: OutputCollector;
  readonly all: OutputCollector;
}

function collectOutput({ stdout, stderr }: Subprocess, bytesMax: number): Outputs {
  const outputs = { stdout: new OutputCollector(bytesMax), all: new OutputCollector(bytesMax) };
  stdout.on('data', (chunk: Uint8Array) => {
    outputs.stdout.add(chunk);
    outputs.all.add(chunk);
  });
  stderr.on('data', (chunk: Uint8Array) => {
    outputs.all.add(chunk);
  });
  return outputs;
}

interface Deadline {
  timer: NodeJS.Timeout;
  reached: boolean;
  /** Milliseconds left until SIGKILL; meaningful once reached. */
  killInMs(): number;
}

/** At the deadline SIGTERM to the group, `killGraceMs` later SIGKILL. */
function startDeadline(pid: number, timeoutMs: number): Deadline {
  let reachedAtMs = 0;
  const killInMs = (): number => Math.max(0, reachedAtMs + killGraceMs - performance.now());
  const onDeadline = (): void => {
    deadline.reached = true;
    reachedAtMs = performance.now();
    signalGroup(pid, 'SIGTERM');
    deadline.timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), killGraceMs);
  };
  const deadline: Deadline = { timer: setTimeout(onDeadline, timeoutMs), reached: false, killInMs };
  return deadline;
}

/** A process that left the group may hold the pipes for ever: after a moment they are destroyed. */
async function drainThenClose({ stdin, stdout, stderr }: Subprocess): Promise<void> {
  const ends = [stdout, stderr].map((stream) => streamEnd(stream));
  const timeLimit = new AbortController();
  const patience = delay(drainMsMax, undefined, { signal: timeLimit.signal }).catch(
    () => undefined,
  );
  await Promise.race([Promise.all(ends), patience]);
  timeLimit.abort();
  for (const stream of [stdin, stdout, stderr]) stream?.destroy();
}

function streamEnd(stream: Subprocess['stdout']): Promise<unknown> {
  if (stream.readableEnded || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => stream.once('close', resolve).once('error', resolve));
}
