import { setTimeout as delay } from 'node:timers/promises';
import { QuorateError } from '../shared/index.ts';
import type { Logger } from '../shared/index.ts';
import { Lane } from './lane.ts';
import type { FromRunner } from './messages.ts';
import { seeOff } from './orphans.ts';
import { RunnerProcess } from './runner-process.ts';
import type { RunnerExit } from './runner-process.ts';
import { emptyResult } from './types.ts';
import type { JobKind, RunnerCounts, RunResult, ScriptJob, ScriptRunner } from './types.ts';

export interface RunnerInit {
  readonly logger: Logger;
  /** Verification scripts at once. */
  readonly verifyConcurrency: number;
  /** Notification scripts at once; 16 unless stated. */
  readonly notifyConcurrency?: number;
  /** Jobs of each kind that may wait for a slot; more are refused. 1,024 unless stated. */
  readonly waitingMax?: number;
  /** The runner process died; it is started again by itself. */
  readonly onExit?: (exit: RunnerExit) => void;
}

interface Pending {
  readonly id: number;
  readonly job: ScriptJob;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: Error) => void;
}

interface Running extends Pending {
  readonly sentAtMs: number;
  pid: number | null;
}

/** Starts the runner process; rejects when it cannot be started. */
export async function startRunner(init: RunnerInit): Promise<ScriptRunner> {
  const runner = new ScriptRunnerHost(init);
  await runner.start();
  return runner;
}

class ScriptRunnerHost implements ScriptRunner {
  readonly #init: RunnerInit;
  readonly #lanes: Readonly<Record<JobKind, Lane<Pending>>>;
  readonly #running = new Map<number, Running>();
  readonly #process: RunnerProcess;
  #nextId = 1;
  #stopped: Promise<void> | null = null;
  #onIdle: () => void = () => undefined;

  constructor(init: RunnerInit) {
    const waitingMax = init.waitingMax ?? 1_024;
    this.#init = init;
    this.#lanes = {
      verify: new Lane(init.verifyConcurrency, waitingMax),
      notify: new Lane(init.notifyConcurrency ?? 16, waitingMax),
    };
    this.#process = new RunnerProcess(init.logger, {
      onReady: () => {
        this.#pump();
      },
      onMessage: (message) => {
        this.#onMessage(message);
      },
      onDeath: (exit) => {
        this.#onDeath(exit);
      },
    });
  }

  get counts(): RunnerCounts {
    const { verify, notify } = this.#lanes;
    return {
      verifyRunning: verify.running,
      verifyWaiting: verify.waiting,
      notifyRunning: notify.running,
      notifyWaiting: notify.waiting,
      restarts: this.#process.restarts,
    };
  }

  start(): Promise<void> {
    return this.#process.start();
  }

  run(job: ScriptJob): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(stoppedError());
        return;
      }
      const lane = this.#lanes[job.kind];
      if (!lane.push({ id: this.#nextId++, job, resolve, reject })) {
        const found = `${lane.running} run and ${lane.waiting} wait already`;
        reject(new QuorateError('OVERLOADED', `Cannot run a ${job.kind} script: ${found}`));
        return;
      }
      this.#pump();
    });
  }

  stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    for (const lane of Object.values(this.#lanes)) {
      for (const pending of lane.clear()) pending.reject(stoppedError());
    }
    if (this.#process.isReady) this.#process.send({ kind: 'stopVerifying' });
    await this.#idle(graceMs);
    const idle = this.#running.size === 0;
    for (const { id } of [...this.#running.values()]) {
      this.#settle(id, emptyResult({ lost: 'it still runs as the daemon stops' }));
    }
    await this.#process.stop(idle);
  }

  /** Resolves when nothing runs any more, at the latest after `limitMs`. */
  async #idle(limitMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    const limit = new AbortController();
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    await Promise.race([idle, delay(limitMs, undefined, { signal: limit.signal }).catch(noop)]);
    limit.abort();
  }

  #pump(): void {
    for (const lane of Object.values(this.#lanes)) {
      while (this.#process.isReady) {
        const pending = lane.take();
        if (!pending) break;
        this.#running.set(pending.id, { ...pending, sentAtMs: performance.now(), pid: null });
        this.#process.send({ kind: 'run', id: pending.id, job: pending.job });
      }
    }
  }

  #onMessage(message: Exclude<FromRunner, { kind: 'ready' }>): void {
    const running = this.#running.get(message.id);
    if (!running) return;
    if (message.kind === 'started') running.pid = message.pid;
    else this.#settle(message.id, message.result);
  }

  #settle(id: number, result: RunResult): void {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    this.#lanes[running.job.kind].release();
    running.resolve(result);
    if (this.#running.size === 0) this.#onIdle();
    this.#pump();
  }

  #onDeath(exit: RunnerExit): void {
    for (const running of this.#running.values()) void this.#lose(running);
    this.#init.onExit?.(exit);
  }

  /** The slot stays taken until the orphaned script is gone: a retry must not run beside it. */
  async #lose({ id, job, pid, sentAtMs }: Running): Promise<void> {
    const passedMs = performance.now() - sentAtMs;
    const leftMs = job.kind === 'notify' ? Math.max(1, job.timeoutMs - passedMs) : 0;
    if (pid !== null) await seeOff(pid, leftMs);
    const durationMs = Math.round(performance.now() - sentAtMs);
    this.#settle(id, emptyResult({ durationMs, lost: 'its runner process died' }));
  }
}

const noop = (): void => undefined;

const stoppedError = (): QuorateError =>
  new QuorateError('STOPPED', 'Cannot run a script: this node is stopping');
