import type { Reconsidered } from '../../health/index.ts';
import { retryDelayMs } from '../../health/index.ts';
import type { Cancel, Clock, DecisionSettings, EventRecord } from '../../shared/index.ts';
import type { Logger, NodeId, NotificationAttempt, Revision } from '../../shared/index.ts';
import { codeOf, pause } from '../../shared/index.ts';
import type { Operation } from '../../store/index.ts';
import type { ReplicaState } from '../replica/index.ts';
import { lastAttempt } from './notification-run.ts';
import type { NotificationScript, Run } from './notification-run.ts';

const checkMs = 250;
/** How often the holder of a running attempt is asked whether it still runs. */
const askHolderMs = 1_000;
/** Pause before a result is proposed again. */
const proposeAgainMs = 500;
/** Notifications under way at once: as many as the runner has slots, so that none waits in line. */
const busyMax = 16;

export interface NotifierInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly node: NodeId;
  readonly script: Pick<NotificationScript, 'run'>;
  readonly state: () => ReplicaState;
  readonly settings: () => DecisionSettings;
  /** This node leads and has applied its own no-op. */
  readonly mayDecide: () => boolean;
  readonly reconsider: (event: EventRecord) => Reconsidered;
  readonly commit: (operation: Operation) => Promise<{ readonly changed: boolean }>;
  /** Whether `holder` still runs the attempt; null when it cannot be asked. */
  readonly askHolder: (holder: NodeId, eventId: Revision) => Promise<boolean | null>;
}

/** On the leader: runs tracked notifications, one at a time and in order for each key. */
export class Notifier {
  readonly #init: NotifierInit;
  /** Events whose attempt this node has proposed or runs, until its result is recorded. */
  readonly #running = new Set<Revision>();
  /** Events that something is being done about: no second look at the same time. */
  readonly #busy = new Set<Revision>();
  /** Open events that must wait until then (monotonic): retries and questions to holders. */
  readonly #notBeforeMs = new Map<Revision, number>();
  /** Events whose last run was lost with its node: that one does not use up an attempt. */
  readonly #takenOver = new Set<Revision>();
  #followerRuns = 0;
  #cancel: Cancel = () => undefined;
  #checkPlanned = false;
  #stopped = false;

  constructor(init: NotifierInit) {
    this.#init = init;
  }

  start(): void {
    this.#cancel = this.#init.clock.after(checkMs, () => {
      this.#check();
      if (!this.#stopped) this.start();
    });
  }

  /** Starts nothing more; what runs goes on. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** Scripts that run here, and results that are not recorded yet. */
  get runningCount(): number {
    return this.#running.size + this.#followerRuns;
  }

  isRunning(eventId: Revision): boolean {
    return this.#running.has(eventId);
  }

  /** Something changed: looks at the open notifications as soon as this turn is over. */
  checkSoon(): void {
    if (this.#checkPlanned || !this.#init.mayDecide()) return;
    this.#checkPlanned = true;
    this.#init.clock.afterPendingInput(() => {
      this.#checkPlanned = false;
      this.#check();
    });
  }

  /** A notification changed state on this node; its next leader keeps the pause before a retry too. */
  onChange(event: EventRecord): void {
    const last = lastAttempt(event);
    if (event.notification.state !== 'pending' || last === undefined || !hasEnded(last)) {
      this.#notBeforeMs.delete(event.id);
      return;
    }
    const nowMs = this.#init.clock.monotonicMs();
    this.#notBeforeMs.set(event.id, nowMs + retryDelayMs(last.attempt));
  }

  /** `notifyOn=all`: this node's own, untracked run. */
  async runAsFollower(event: EventRecord): Promise<void> {
    if (this.#stopped) return;
    const { clock, commit, script, node, logger } = this.#init;
    const startedAtMs = clock.wallMs();
    const eventId = event.id;
    this.#followerRuns++;
    try {
      const { end } = await script.run(event, 'follower', 1);
      await commit({ kind: 'recordFollowerRun', eventId, node, startedAtMs, ...end });
    } catch (error) {
      const code = codeOf(error);
      logger.warn({ eventId, code, error }, `Cannot record the follower run of event ${eventId}`);
    } finally {
      this.#followerRuns--;
    }
  }

  /** Looks at the oldest open notification of each key. */
  #check(): void {
    if (this.#stopped || !this.#init.mayDecide()) return;
    const seen = new Set<string>();
    const open = this.#init.state().machine.openNotifications();
    this.#forgetClosed(open);
    for (const event of open) {
      if (this.#busy.size >= busyMax) return;
      if (seen.has(event.key)) continue;
      seen.add(event.key);
      if (this.#isDue(event)) void this.#advance(event);
    }
  }

  #isDue({ id }: EventRecord): boolean {
    if (this.#busy.has(id) || this.#running.has(id)) return false;
    return this.#init.clock.monotonicMs() >= (this.#notBeforeMs.get(id) ?? 0);
  }

  #forgetClosed(open: readonly EventRecord[]): void {
    if (this.#notBeforeMs.size + this.#takenOver.size === 0) return;
    const ids = new Set(open.map((event) => event.id));
    for (const id of this.#notBeforeMs.keys()) if (!ids.has(id)) this.#notBeforeMs.delete(id);
    for (const id of this.#takenOver) if (!ids.has(id)) this.#takenOver.delete(id);
  }

  async #advance(event: EventRecord): Promise<void> {
    this.#busy.add(event.id);
    try {
      const last = lastAttempt(event);
      const isRunning = event.notification.state === 'running' && last !== undefined;
      await (isRunning ? this.#takeOver(event, last) : this.#attempt(event));
    } catch (error) {
      // The ledger is unchanged or will show what happened: the next check goes on from it.
      const { logger } = this.#init;
      logger.warn(
        { eventId: event.id, code: codeOf(error), error },
        `Cannot go on with the notification of event ${event.id} yet`,
      );
    } finally {
      this.#busy.delete(event.id);
    }
  }

  /**
   * The ledger says that a node runs it, and this process does not. If that node does not either,
   * the attempt has ended unseen; what follows is decided anew from there.
   */
  async #takeOver(event: EventRecord, last: NotificationAttempt): Promise<void> {
    const { clock, node, askHolder, commit, mayDecide, logger } = this.#init;
    const { attempt, node: holder, startedAtMs } = last;
    const eventId = event.id;
    this.#notBeforeMs.set(eventId, clock.monotonicMs() + askHolderMs);
    if (holder !== node && (await askHolder(holder, eventId)) === true) return;
    if (this.#stopped || !mayDecide()) return;
    const { key } = event;
    logger.warn(
      { eventId, key, holder, attempt },
      `${nameOf(event)}: attempt ${attempt} on ${holder} ended unseen`,
    );
    this.#takenOver.add(eventId);
    const durationMs = Math.max(0, Math.round(clock.wallMs() - startedAtMs));
    const unseen = { exitCode: null, signal: null, timedOut: false, output: unseenText };
    const end = { eventId, attempt, node: holder, durationMs, ...unseen };
    await commit({ kind: 'endAttempt', ...end, outcome: 'retry' });
  }

  async #attempt(event: EventRecord): Promise<void> {
    const { settings, commit, reconsider, logger } = this.#init;
    const { id: eventId, key } = event;
    const attempt = (lastAttempt(event)?.attempt ?? 0) + 1;
    const again = reconsider(event);
    if (again.verdict === 'superseded') {
      const { reason } = again;
      const state = 'superseded';
      await commit({ kind: 'closeNotification', eventId, state, reason });
      logger.info({ eventId, key, state, reason }, `${nameOf(event)} is superseded: ${reason}`);
    } else if (attempt > settings().notifyRetries + (this.#takenOver.has(eventId) ? 1 : 0)) {
      const reason = `no attempt of ${attempt - 1} ended with a result`;
      const state = 'failed';
      await commit({ kind: 'closeNotification', eventId, state, reason });
      logger.warn({ eventId, key, state, reason }, `${nameOf(event)} failed: ${reason}`);
    } else await this.#runAttempt(event, attempt);
  }

  /** Counts as running from the proposal on: a new leader may see it applied before this node does. */
  async #runAttempt(event: EventRecord, attempt: number): Promise<void> {
    const { clock, commit, node, script } = this.#init;
    const eventId = event.id;
    this.#running.add(eventId);
    try {
      const startedAtMs = clock.wallMs();
      const started = await commit({ kind: 'startAttempt', eventId, attempt, node, startedAtMs });
      if (!started.changed || this.#stopped) return;
      const run = await script.run(event, 'leader', attempt);
      this.#tell(event, attempt, run);
      await this.#record(eventId, attempt, run);
      this.#pause(eventId, run);
    } finally {
      this.#running.delete(eventId);
    }
  }

  #tell(event: EventRecord, attempt: number, { judged }: Run): void {
    const { logger } = this.#init;
    const { id: eventId, key, to } = event;
    const { outcome, reason } = judged;
    const level = outcome === 'done' ? 'info' : 'warn';
    const said = `${nameOf(event)}, attempt ${attempt}: ${outcome}, ${reason}`;
    logger[level]({ eventId, key, to, attempt, outcome, reason }, said);
  }

  /** Also after a script that could not be started, which the ledger does not tell from a lost one. */
  #pause(eventId: Revision, { judged, isLost }: Run): void {
    if (judged.outcome !== 'retry' || isLost) return;
    this.#notBeforeMs.set(eventId, this.#init.clock.monotonicMs() + judged.retryInMs);
  }

  /**
   * The result of a script that ran must reach the ledger, whoever leads by then. A node that stops
   * tries once more; without its word the next leader runs the script again.
   */
  async #record(eventId: Revision, attempt: number, { end, judged, isLost }: Run): Promise<void> {
    const { clock, commit, node } = this.#init;
    if (isLost && this.#stopped) return;
    const { outcome } = judged;
    do {
      try {
        await commit({ kind: 'endAttempt', eventId, attempt, node, ...end, outcome });
        return;
      } catch (error) {
        if (this.#stopped || codeOf(error) === 'STOPPED') return;
        await pause(clock, proposeAgainMs);
      }
    } while (!this.#hasGoneOn(eventId, attempt));
  }

  /** False also while this node has not applied the start of the attempt: the leader had. */
  #hasGoneOn(eventId: Revision, attempt: number): boolean {
    const event = this.#init.state().machine.event(eventId);
    if (event === undefined) return true;
    const known = lastAttempt(event)?.attempt ?? 0;
    return known > attempt || (known === attempt && event.notification.state !== 'running');
  }
}

const nameOf = ({ id, key, to }: EventRecord): string =>
  `Notification of event ${id} (${key} is ${to})`;

const unseenText = 'nobody saw how it ended: its node does not run it any more';

/** By itself: it exited, a signal ended it, or its deadline did. */
const hasEnded = ({ exitCode, signal, timedOut }: NotificationAttempt): boolean =>
  exitCode !== null || signal !== null || timedOut;
