import type { Reconsidered } from '../../health/index.ts';
import { judgeAttempt, notifyInvocation } from '../../health/index.ts';
import type { RunResult, ScriptRunner } from '../../runner/index.ts';
import type {
  Cancel,
  Clock,
  DecisionSettings,
  EventRecord,
  Logger,
  NodeId,
  Revision,
} from '../../shared/index.ts';
import { codeOf } from '../../shared/index.ts';
import type { Operation } from '../../store/index.ts';
import { eventToJson } from '../../store/index.ts';
import type { ReplicaState } from '../replica/index.ts';
import type { Script } from './script.ts';

const checkMs = 250;
/** How often the holder of a running attempt is asked whether it still runs. */
const askHolderMs = 1_000;
/** Pause before a result is proposed again. */
const proposeAgainMs = 500;

export interface NotifierInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly node: NodeId;
  readonly script: Script;
  readonly notifyArgs: 'role' | 'plain';
  readonly runner: ScriptRunner;
  readonly state: () => ReplicaState;
  readonly settings: () => DecisionSettings;
  /** This node leads and has applied its own no-op. */
  readonly mayDecide: () => boolean;
  readonly reconsider: (event: EventRecord) => Reconsidered;
  readonly commit: (operation: Operation) => Promise<{ readonly changed: boolean }>;
  /** Whether `holder` still runs the attempt; null when it cannot be asked. */
  readonly askHolder: (holder: NodeId, eventId: Revision) => Promise<boolean | null>;
  readonly onAttemptEnd: (outcome: string) => void;
}

/** On the leader: runs tracked notifications, one at a time and in order for each key. */
export class Notifier {
  readonly #init: NotifierInit;
  /** Events whose script runs here now. */
  readonly #running = new Set<Revision>();
  /** Events that something is being done about: no second look at the same time. */
  readonly #busy = new Set<Revision>();
  /** Not before this time (monotonic): retries and questions to holders. */
  readonly #notBeforeMs = new Map<Revision, number>();
  #cancel: Cancel = () => undefined;
  #stopped = false;

  constructor(init: NotifierInit) {
    this.#init = init;
  }

  start(): void {
    this.#cancel = this.#init.clock.after(checkMs, () => {
      this.check();
      if (!this.#stopped) this.start();
    });
  }

  /** Starts nothing more; what runs goes on. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  get runningCount(): number {
    return this.#running.size;
  }

  isRunning(eventId: Revision): boolean {
    return this.#running.has(eventId);
  }

  /** Looks at the oldest open notification of each key. */
  check(): void {
    if (this.#stopped || !this.#init.mayDecide()) return;
    const seen = new Set<string>();
    const open = this.#init.state().machine.openNotifications();
    this.#forgetClosed(open);
    for (const event of open) {
      if (seen.has(event.key)) continue;
      seen.add(event.key);
      if (!this.#busy.has(event.id)) void this.#advance(event);
    }
  }

  /** `notifyOn=all`: this node's own, untracked run. */
  async runAsFollower(event: EventRecord): Promise<void> {
    const startedAtMs = this.#init.clock.wallMs();
    try {
      const result = await this.#run(event, 'follower', 1);
      const { durationMs, exitCode, signal, timedOut } = result;
      await this.#init.commit({
        kind: 'recordFollowerRun',
        eventId: event.id,
        node: this.#init.node,
        startedAtMs,
        durationMs,
        exitCode,
        signal,
        timedOut,
        output: outputOf(result),
      });
    } catch (error) {
      const { logger } = this.#init;
      logger.warn(
        { eventId: event.id, code: codeOf(error), error },
        'A follower run has no record',
      );
    }
  }

  #forgetClosed(open: readonly EventRecord[]): void {
    if (this.#notBeforeMs.size === 0) return;
    const ids = new Set(open.map((event) => event.id));
    for (const id of this.#notBeforeMs.keys()) if (!ids.has(id)) this.#notBeforeMs.delete(id);
  }

  async #advance(event: EventRecord): Promise<void> {
    const nowMs = this.#init.clock.monotonicMs();
    if (this.#running.has(event.id) || nowMs < (this.#notBeforeMs.get(event.id) ?? 0)) return;
    this.#busy.add(event.id);
    try {
      if (event.notification.state === 'running') await this.#takeOver(event);
      else await this.#attempt(event);
    } catch (error) {
      // The ledger is unchanged or will show what happened: the next check goes on from it.
      const { logger } = this.#init;
      logger.warn(
        { eventId: event.id, code: codeOf(error), error },
        'Cannot go on with a notification yet',
      );
    } finally {
      this.#busy.delete(event.id);
    }
  }

  /** The ledger says that a node runs it, and this process does not. */
  async #takeOver(event: EventRecord): Promise<void> {
    const holder = event.notification.attempts.findLast((one) => one.role === 'leader')?.node;
    const isElsewhere = holder !== undefined && holder !== this.#init.node;
    this.#notBeforeMs.set(event.id, this.#init.clock.monotonicMs() + askHolderMs);
    if (isElsewhere && (await this.#init.askHolder(holder, event.id)) === true) return;
    await this.#attempt(event);
  }

  async #attempt(event: EventRecord): Promise<void> {
    const { settings, commit, reconsider, node, clock } = this.#init;
    const attempt = trackedAttempts(event) + 1;
    const eventId = event.id;
    const again = reconsider(event);
    if (again.verdict === 'superseded') {
      await commit({
        kind: 'closeNotification',
        eventId,
        state: 'superseded',
        reason: again.reason,
      });
      return;
    }
    if (attempt > settings().notifyRetries) {
      const reason = `no attempt of ${attempt - 1} ended with a result`;
      await commit({ kind: 'closeNotification', eventId, state: 'failed', reason });
      return;
    }
    const startedAtMs = clock.wallMs();
    const started = await commit({ kind: 'startAttempt', eventId, attempt, node, startedAtMs });
    if (started.changed) await this.#runAttempt(event, attempt);
  }

  async #runAttempt(event: EventRecord, attempt: number): Promise<void> {
    this.#running.add(event.id);
    try {
      const result = await this.#run(event, 'leader', attempt);
      const judged = judgeAttempt(result, attempt, this.#init.settings().notifyRetries);
      const { logger, clock } = this.#init;
      const told = { eventId: event.id, key: event.key, to: event.to, attempt };
      logger.info({ ...told, outcome: judged.outcome }, `Notification: ${judged.reason}`);
      if (judged.outcome === 'retry') {
        this.#notBeforeMs.set(event.id, clock.monotonicMs() + judged.retryInMs);
      }
      this.#init.onAttemptEnd(judged.outcome);
      await this.#record(event.id, attempt, result, judged.outcome);
    } finally {
      this.#running.delete(event.id);
    }
  }

  /** The result of a script that ran must reach the ledger, whoever leads by then. */
  async #record(
    eventId: Revision,
    attempt: number,
    result: RunResult,
    outcome: 'done' | 'failed' | 'retry',
  ): Promise<void> {
    const { durationMs, exitCode, signal, timedOut } = result;
    const end = { eventId, attempt, node: this.#init.node, durationMs, exitCode, signal, timedOut };
    const output = outputOf(result);
    while (this.#isOpen(eventId, attempt)) {
      try {
        await this.#init.commit({ kind: 'endAttempt', ...end, output, outcome });
        return;
      } catch (error) {
        if (codeOf(error) === 'STOPPED') return;
        await new Promise<void>((resolve) => this.#init.clock.after(proposeAgainMs, resolve));
      }
    }
  }

  #isOpen(eventId: Revision, attempt: number): boolean {
    const event = this.#init.state().machine.event(eventId);
    return event?.notification.state === 'running' && trackedAttempts(event) === attempt;
  }

  async #run(event: EventRecord, role: 'leader' | 'follower', attempt: number): Promise<RunResult> {
    const { script, node, notifyArgs, runner, settings } = this.#init;
    const eventJson = JSON.stringify(eventToJson(event, { withNotification: false }));
    const { args, env, stdin } = notifyInvocation({
      role,
      event,
      node,
      attempt,
      notifyArgs,
      eventJson,
    });
    return runner.run({
      kind: 'notify',
      file: script.file,
      args: [...script.args, ...args],
      env,
      stdin,
      timeoutMs: settings().notifyTimeoutMs,
    });
  }
}

const trackedAttempts = (event: EventRecord): number =>
  event.notification.attempts.filter((one) => one.role === 'leader').length;

const outputOf = (result: RunResult): string => result.startError ?? result.lost ?? result.output;
