import type { Config } from '../../config/index.ts';
import type { GossipEffect } from '../../gossip/index.ts';
import type { Member as Voter } from '../../health/index.ts';
import { freshnessLimitMs, quorumShortfall } from '../../health/index.ts';
import type { ScriptRunner } from '../../runner/index.ts';
import type {
  Clock,
  DecisionSettings,
  EventRecord,
  Logger,
  NodeId,
  Revision,
} from '../../shared/index.ts';
import { utf8 } from '../../shared/index.ts';
import type { KeyRecord, Notice, Operation } from '../../store/index.ts';
import type { Metrics } from '../../telemetry/index.ts';
import type { GossipDriver } from '../gossip-driver.ts';
import type { Applied, Replica } from '../replica/index.ts';
import { NotificationActivity } from './activity.ts';
import { explanationOf, votesIn } from './explanation.ts';
import type { Explanations, SeenVote } from './explanation.ts';
import { Heard } from './heard.ts';
import { Judge } from './judge.ts';
import { NotificationScript } from './notification-run.ts';
import { Notifier } from './notifier.ts';
import { Scavenger } from './scavenger.ts';
import type { Script } from './script.ts';
import { StallWatch } from './stall-watch.ts';
import { Watcher } from './watcher.ts';

export interface WatchingInit {
  readonly config: Config;
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly replica: Replica;
  readonly gossip: GossipDriver;
  /** null: no scripts are configured. */
  readonly runner: ScriptRunner | null;
  readonly verification: Script | null;
  readonly notification: Script | null;
  readonly settings: () => DecisionSettings;
  readonly commit: (operation: Operation) => Promise<Applied>;
  readonly askHolder: (holder: NodeId, eventId: Revision) => Promise<boolean | null>;
}

/** Everything between "a key exists" and "its event was told": watch, judge, notify. */
export class Watching {
  readonly #init: WatchingInit;
  readonly #stalls: StallWatch;
  readonly #activity: NotificationActivity;
  readonly #judge: Judge;
  readonly #watcher: Watcher | null;
  readonly #notifier: Notifier | null;
  readonly #scavenger: Scavenger;
  readonly heard: Heard;
  #isLive = false;
  #voters: { readonly of: readonly object[]; readonly list: readonly Voter[] } | null = null;

  constructor(init: WatchingInit) {
    this.#init = init;
    const { clock, logger, gossip, config } = init;
    const intervalMs = config.verifyInterval;
    this.#stalls = new StallWatch({ clock, logger, gossip, intervalMs });
    this.#activity = new NotificationActivity(clock.monotonicMs());
    const freshMs = freshnessLimitMs(config.verifyInterval, config.verifyTimeout);
    this.heard = this.#makeHeard(freshMs);
    this.#scavenger = new Scavenger({ clock, heard: this.heard, state: () => init.replica.state });
    this.#judge = this.#makeJudge(freshMs);
    this.#watcher = this.#makeWatcher();
    this.#notifier = this.#makeNotifier();
  }

  start(): void {
    this.#watcher?.start();
    this.#judge.start();
    this.#notifier?.start();
    this.#stalls.start();
    this.#scavenger.start();
  }

  /** Starts nothing more. The runner decides what becomes of scripts that run. */
  stop(): void {
    this.#watcher?.stop();
    this.#judge.stop();
    this.#notifier?.stop();
    this.#stalls.stop();
    this.#scavenger.stop();
  }

  get watcher(): Watcher | null {
    return this.#watcher;
  }

  get judge(): Judge {
    return this.#judge;
  }

  get abstains(): boolean {
    return this.#stalls.abstains;
  }

  get notificationsRunning(): number {
    return this.#notifier?.runningCount ?? 0;
  }

  isNotifying(eventId: Revision): boolean {
    return this.#notifier?.isRunning(eventId) ?? false;
  }

  /** From here on, applied events are news and not a replay of the log. */
  goLive(): void {
    this.#isLive = true;
  }

  onNotices(notices: readonly Notice[]): void {
    for (const notice of notices) this.#onNotice(notice);
  }

  /** The whole state was replaced by a snapshot. */
  onStateReplaced(): void {
    this.#activity.beginAgain(this.#init.clock.monotonicMs());
    this.#judge.stateReplaced();
    this.#watcher?.rebuild();
  }

  onGossip(effect: GossipEffect): void {
    this.heard.onGossip(effect);
  }

  /** Voters, observers and learners as the decisions count them; the same array for the same ones. */
  voters(): readonly Voter[] {
    const { members: of } = this.#init.replica.configuration;
    if (this.#voters?.of === of) return this.#voters.list;
    const list = of.map(({ nodeId: node, zone, role }) => ({ node, zone, role }));
    this.#voters = { of, list };
    return list;
  }

  /** What this node decides about each key now, and why; null: it is not the one who decides. */
  explain(keys: readonly string[]): Explanations | null {
    const { replica, node: decidedBy } = this.#init;
    if (!replica.mayDecide) return null;
    const { machine } = replica.state;
    const list = keys.map((key) => {
      const record = machine.key(utf8(key));
      if (record === undefined) return { reason: 'the key is gone', isWaiting: false };
      return explanationOf(this.#judge.inputFor(record));
    });
    return { decidedBy, list };
  }

  /** The votes on a key as this node sees them. */
  votesOn(record: KeyRecord): readonly SeenVote[] {
    return votesIn(this.#judge.inputFor(record));
  }

  /** Why no agreement is possible with the present members; null when it is. */
  shortfall(): string | null {
    return quorumShortfall(this.#init.settings(), this.voters());
  }

  #onNotice(notice: Notice): void {
    switch (notice.kind) {
      case 'key':
        if (notice.record === null) this.#onKeyGone(notice.key);
        else this.#judge.keyApplied(notice.record);
        this.#watcher?.onKey(notice.key, notice.record);
        return;
      case 'baseline':
        this.#judge.healthChanged(notice.key);
        return;
      case 'event':
        this.#onEvent(notice.event);
        this.#judge.healthChanged(notice.event.key);
        return;
      case 'notification':
        if (notice.ended) this.#onEnded(notice.event);
        this.#notifier?.onChange(notice.event);
        this.#notifier?.checkSoon();
        this.#judge.healthChanged(notice.event.key);
        return;
      default:
    }
  }

  #onKeyGone(key: string): void {
    this.#activity.forget(key);
    this.#judge.keyGone(key);
  }

  /** What ends for a key that is gone leaves nothing to remember. */
  #onEnded(event: EventRecord): void {
    const health = this.#init.replica.state.machine.health(event.key);
    if (health?.createRevision !== event.createRevision) return;
    this.#activity.ended(event, this.#init.clock.monotonicMs());
  }

  #onEvent(event: EventRecord): void {
    const { metrics, logger } = this.#init;
    if (event.notification.state === 'none') this.#onEnded(event);
    if (!this.#isLive) return;
    metrics.events.inc(event.to);
    const { id, key, from, to, reason } = event;
    logger.warn({ id, key, from, to, reason }, `Event ${id}: ${key} is ${to}; ${reason}`);
    this.#notifier?.checkSoon();
    const isFollowerRun = this.#init.settings().notifyOn === 'all' && !this.#init.replica.isLeader;
    if (isFollowerRun) void this.#notifier?.runAsFollower(event);
  }

  #makeHeard(freshMs: number): Heard {
    const { clock, replica, gossip } = this.#init;
    return new Heard({
      clock,
      freshMs,
      members: () => replica.configuration.members,
      gossipers: () => gossip.members(),
      onKey: (keyId) => this.#judge.ballotsChanged(keyId),
      onMember: () => this.#judge.memberChanged(),
      onReport: () => this.#judge.reportHeard(),
    });
  }

  #makeJudge(freshMs: number): Judge {
    const { clock, logger, node, replica, settings, commit, metrics } = this.#init;
    return new Judge({
      clock,
      logger,
      node,
      heard: this.heard,
      activity: this.#activity,
      stallGuard: this.#stalls.guard,
      freshMs,
      state: () => replica.state,
      members: () => this.voters(),
      settings,
      mayDecide: () => replica.mayDecide,
      isTracked: this.#init.notification !== null,
      commit,
      onWaiting: (count) => metrics.decisionsWaiting.set(count),
    });
  }

  #makeWatcher(): Watcher | null {
    const { config, clock, logger, node, replica, gossip, runner, verification, metrics } =
      this.#init;
    if (verification === null || runner === null) return null;
    return new Watcher({
      clock,
      logger,
      node,
      zone: config.zone,
      script: verification,
      intervalMs: config.verifyInterval,
      timeoutMs: config.verifyTimeout,
      concurrencyMax: config.verifyConcurrency,
      window: { window: config.verifyWindow, samples: config.verifySamples },
      runner,
      state: () => replica.state,
      publisher: gossip,
      stallGuard: this.#stalls.guard,
      onSample: (status, durationMs) => {
        metrics.verificationRuns.inc(status);
        metrics.verificationSeconds.observe(durationMs / 1000);
      },
    });
  }

  #makeNotifier(): Notifier | null {
    const { clock, logger, node, replica, runner, notification, settings } = this.#init;
    if (notification === null || runner === null) return null;
    return new Notifier({
      clock,
      logger,
      node,
      script: this.#makeScript(notification, runner),
      state: () => replica.state,
      settings,
      mayDecide: () => replica.mayDecide,
      reconsider: (event) => this.#judge.reconsider(event),
      commit: this.#init.commit,
      askHolder: this.#init.askHolder,
    });
  }

  #makeScript(script: Script, runner: ScriptRunner): NotificationScript {
    const { node, settings, metrics, config } = this.#init;
    const { notifyArgs } = config;
    const onRun = (outcome: string, durationMs: number): void => {
      metrics.notifications.inc(outcome);
      metrics.notificationSeconds.observe(durationMs / 1000);
    };
    return new NotificationScript({ node, script, notifyArgs, runner, settings, onRun });
  }
}
