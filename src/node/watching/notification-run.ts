import { judgeAttempt, notifyInvocation } from '../../health/index.ts';
import type { RunResult, ScriptRunner } from '../../runner/index.ts';
import type {
  DecisionSettings,
  EventRecord,
  NodeId,
  NotificationAttempt,
} from '../../shared/index.ts';
import { eventToJson } from '../../store/index.ts';
import type { Script } from './script.ts';

export interface NotificationScriptInit {
  readonly node: NodeId;
  readonly script: Script;
  readonly notifyArgs: 'role' | 'plain';
  readonly runner: ScriptRunner;
  readonly settings: () => DecisionSettings;
  readonly onRun: (outcome: string, durationMs: number) => void;
}

/** How one run ended, as the ledger keeps it. */
export interface RunEnd {
  readonly durationMs: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly output: string;
}

export interface Run {
  readonly end: RunEnd;
  readonly judged: ReturnType<typeof judgeAttempt>;
  /** Nobody saw how it ended. */
  readonly isLost: boolean;
}

/** The notification script of this node. */
export class NotificationScript {
  readonly #init: NotificationScriptInit;

  constructor(init: NotificationScriptInit) {
    this.#init = init;
  }

  /** Resolves when it has ended, or was killed at its deadline. Rejects as ScriptRunner.run does. */
  async run(event: EventRecord, role: 'leader' | 'follower', attempt: number): Promise<Run> {
    const { script, node, notifyArgs, runner, settings, onRun } = this.#init;
    const eventJson = JSON.stringify(eventToJson(event, { withNotification: false }));
    const call = { role, event, node, attempt, notifyArgs, eventJson };
    const { args, env, stdin } = notifyInvocation(call);
    const result = await runner.run({
      kind: 'notify',
      file: script.file,
      args: [...script.args, ...args],
      env,
      stdin,
      timeoutMs: settings().notifyTimeoutMs,
    });
    const judged = judgeAttempt(result, attempt, settings().notifyRetries);
    onRun(judged.outcome, result.durationMs);
    return { end: endOf(result), judged, isLost: result.lost !== null };
  }
}

const endOf = (result: RunResult): RunEnd => ({
  durationMs: result.durationMs,
  exitCode: result.exitCode,
  signal: result.signal,
  timedOut: result.timedOut,
  output: result.startError ?? result.lost ?? result.output,
});

/** The newest tracked run of an event: its number counts, whatever the ledger has dropped since. */
export const lastAttempt = (event: EventRecord): NotificationAttempt | undefined =>
  event.notification.attempts.findLast((one) => one.role === 'leader');
