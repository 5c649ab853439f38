/** verify: short, many, worthless once asked for no more. notify: acts, so it is never cut short. */
export type JobKind = 'verify' | 'notify';

/** One run of a script. */
export interface ScriptJob {
  readonly kind: JobKind;
  readonly file: string;
  /** Given as they are, never through a shell. */
  readonly args: readonly string[];
  /** Extends the daemon's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Bytes for standard input; null: closed (it reads as empty). */
  readonly stdin: Uint8Array | null;
  /** From the start of the script; then SIGTERM, 5 s later SIGKILL, both to its process group. */
  readonly timeoutMs: number;
  /** How much of the output is kept; 4 KiB unless stated. */
  readonly outputBytesMax?: number;
}

export interface RunResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** The first bytes of standard output. */
  readonly stdout: string;
  /** The first bytes of standard output and standard error together, as they came. */
  readonly output: string;
  readonly durationMs: number;
  /** Why the script could not be started; null when it was. */
  readonly startError: string | null;
  /** Why nobody saw how it ended (no sample, an attempt without result); null when somebody did. */
  readonly lost: string | null;
}

export interface RunnerCounts {
  readonly verifyRunning: number;
  readonly verifyWaiting: number;
  readonly notifyRunning: number;
  readonly notifyWaiting: number;
  /** Times that the runner process died and was started again. */
  readonly restarts: number;
}

export interface ScriptRunner {
  readonly counts: RunnerCounts;
  /**
   * Runs a script when a slot of its kind is free. Scripts that fail resolve like those that do not.
   * Rejects with OVERLOADED when the queue is full, with STOPPED from `stop` on.
   */
  run(job: ScriptJob): Promise<RunResult>;
  /**
   * Kills verifications at once, lets notifications run for at most `graceMs` and leaves those that
   * still run to the runner process, which ends with them. May be called twice.
   */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** A result for a script of which nothing more is known. */
export function emptyResult(difference: Partial<RunResult>): RunResult {
  return {
    exitCode: null,
    signal: null,
    timedOut: false,
    stdout: '',
    output: '',
    durationMs: 0,
    startError: null,
    lost: null,
    ...difference,
  };
}
