import type { Config } from '../../config/index.ts';
import type { GossipEffect } from '../../gossip/index.ts';
import type { Member as Voter } from '../../health/index.ts';
import {
  Board,
  freshnessLimitMs,
  quorumShortfall,
  StallGuard,
  stallLateMsMax,
} from '../../health/index.ts';
import type { ScriptRunner } from '../../runner/index.ts';
import type {
  Cancel,
  Clock,
  DecisionSettings,
  EventRecord,
  Logger,
  NodeId,
  Revision,
} from '../../shared/index.ts';
import { asRevision } from '../../shared/index.ts';
import type { Notice, Operation } from '../../store/index.ts';
import type { Metrics } from '../../telemetry/index.ts';
import type { GossipDriver } from '../gossip-driver.ts';
import type { Applied, Replica } from '../replica/index.ts';
import { NotificationActivity } from './activity.ts';
import { Judge } from './judge.ts';
import { Notifier } from './notifier.ts';
import type { Script } from './script.ts';
import { Watcher } from './watcher.ts';

const beatMs = 250;
/** Half a LAN probe time-out: less says nothing about this node's probes. */
const lagMsMin = 250;
const scavengeMs = 60_000;

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
  readonly #stallGuard: StallGuard;
  readonly #activity: NotificationActivity;
  readonly #judge: Judge;
  readonly #watcher: Watcher | null;
  readonly #notifier: Notifier | null;
  readonly #heardAtMs = new Map<NodeId, number>();
  readonly board = new Board();
  #cancelBeat: Cancel = () => undefined;
  #cancelScavenge: Cancel = () => undefined;
  #isLive = false;
  #wasAbstaining = false;

  constructor(init: WatchingInit) {
    this.#init = init;
    const { clock, config } = init;
    const nowMs = clock.monotonicMs();
    const intervalMs = config.verifyInterval;
    this.#stallGuard = new StallGuard({ intervalMs, beatMs, lateMsMax: stallLateMsMax }, nowMs);
    this.#activity = new NotificationActivity(nowMs);
    this.#judge = this.#makeJudge();
    this.#watcher = this.#makeWatcher();
    this.#notifier = this.#makeNotifier();
  }

  start(): void {
    this.#watcher?.start();
    this.#judge.start();
    this.#notifier?.start();
    this.#beat();
    this.#scavenge();
  }

  /** Starts nothing more. The runner decides what becomes of scripts that run. */
  stop(): void {
    this.#watcher?.stop();
    this.#judge.stop();
    this.#notifier?.stop();
    this.#cancelBeat();
    this.#cancelScavenge();
  }

  get watcher(): Watcher | null {
    return this.#watcher;
  }

  get judge(): Judge {
    return this.#judge;
  }

  get abstains(): boolean {
    return this.#stallGuard.abstains(this.#init.clock.monotonicMs());
  }

  get notificationsRunning(): number {
    return this.#notifier?.runningCount ?? 0;
  }

  isNotifying(eventId: Revision): boolean {
    return this.#notifier?.isRunning(eventId) ?? false;
  }

  /** Unix milliseconds of the last report of a node that this process heard; 0: none. */
  heardAtMs(node: NodeId): number {
    return this.#heardAtMs.get(node) ?? 0;
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
    this.#watcher?.rebuild();
  }

  onGossip(effect: GossipEffect): void {
    switch (effect.kind) {
      case 'verdict': {
        const keyId = asRevision(effect.keyId);
        const valueRevision = asRevision(effect.valueRevision);
        const { owner: node, epoch, verdict, samples } = effect;
        this.board.verdict({ node, epoch, keyId, valueRevision, verdict, samples });
        this.#judge.keyChanged(keyId);
        return;
      }
      case 'verdictGone':
        this.board.verdictGone(effect.owner, asRevision(effect.keyId));
        return;
      case 'report':
        this.#onReport(effect);
        return;
      case 'ownerReset':
        this.board.ownerReset(effect.owner, effect.epoch);
        return;
      case 'memberGone':
        this.board.forgetNode(effect.nodeId);
        this.#heardAtMs.delete(effect.nodeId);
        return;
      default:
    }
  }

  /** Voters, observers and learners as the decisions count them. */
  voters(): readonly Voter[] {
    return this.#init.replica.configuration.members.map(({ nodeId: node, zone, role }) => ({
      node,
      zone,
      role,
    }));
  }

  /** Why no agreement is possible with the present members; null when it is. */
  shortfall(): string | null {
    return quorumShortfall(this.#init.settings(), this.voters());
  }

  #onReport(effect: Extract<GossipEffect, { kind: 'report' }>): void {
    const { owner: node, epoch, number } = effect;
    const basis = asRevision(effect.basis);
    const overdue = new Set(effect.overdue.map(asRevision));
    const isNews = this.board.report(
      { node, epoch, number, basis, overdue },
      this.#init.clock.monotonicMs(),
    );
    if (isNews) this.#heardAtMs.set(node, this.#init.clock.wallMs());
  }

  #onNotice(notice: Notice): void {
    switch (notice.kind) {
      case 'key':
        if (notice.record === null) this.#activity.forget(notice.key);
        this.#watcher?.onKey(notice.key, notice.record);
        return;
      case 'event':
        this.#onEvent(notice.event);
        return;
      case 'notification':
        if (notice.ended) this.#activity.ended(notice.event, this.#init.clock.monotonicMs());
        this.#notifySoon();
        return;
      default:
    }
  }

  #onEvent(event: EventRecord): void {
    const { metrics, logger, clock } = this.#init;
    if (event.notification.state === 'none') this.#activity.ended(event, clock.monotonicMs());
    if (!this.#isLive) return;
    metrics.events.inc(event.to);
    const { id, key, from, to, reason } = event;
    logger.warn({ id, key, from, to, reason }, `Event: ${key} is ${to}`);
    this.#notifySoon();
    const isFollowerRun = this.#init.settings().notifyOn === 'all' && !this.#init.replica.isLeader;
    if (isFollowerRun) void this.#notifier?.runAsFollower(event);
  }

  #notifySoon(): void {
    if (this.#notifier === null || !this.#init.replica.mayDecide) return;
    this.#init.clock.afterPendingInput(() => this.#notifier?.check());
  }

  #makeJudge(): Judge {
    const { clock, logger, node, config, replica, settings, commit, metrics } = this.#init;
    return new Judge({
      clock,
      logger,
      node,
      board: this.board,
      activity: this.#activity,
      stallGuard: this.#stallGuard,
      freshMs: freshnessLimitMs(config.verifyInterval, config.verifyTimeout),
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
      stallGuard: this.#stallGuard,
      onSample: (status, durationMs) => {
        metrics.verificationRuns.inc(status);
        metrics.verificationSeconds.observe(durationMs / 1000);
      },
    });
  }

  #makeNotifier(): Notifier | null {
    const { clock, logger, node, replica, runner, notification, settings, metrics } = this.#init;
    if (notification === null || runner === null) return null;
    return new Notifier({
      clock,
      logger,
      node,
      script: notification,
      notifyArgs: this.#init.config.notifyArgs,
      runner,
      state: () => replica.state,
      settings,
      mayDecide: () => replica.mayDecide,
      reconsider: (event) => this.#judge.reconsider(event),
      commit: this.#init.commit,
      askHolder: this.#init.askHolder,
      onAttemptEnd: (outcome) => metrics.notifications.inc(outcome),
    });
  }

  #beat(): void {
    const { clock, logger, gossip } = this.#init;
    this.#cancelBeat = clock.after(beatMs, () => {
      const lateMs = this.#stallGuard.beat(clock.monotonicMs());
      if (lateMs > lagMsMin) gossip.noteLag(lateMs);
      const abstains = this.abstains;
      if (abstains !== this.#wasAbstaining) {
        if (abstains)
          logger.warn({ lateMs }, 'This process did not run in time: its votes abstain');
        else logger.info({}, 'This process votes again');
      }
      this.#wasAbstaining = abstains;
      this.#beat();
    });
  }

  /** Late gossip about deleted keys and departed nodes goes. */
  #scavenge(): void {
    this.#cancelScavenge = this.#init.clock.after(scavengeMs, () => {
      const { machine } = this.#init.replica.state;
      const live = new Set<Revision>();
      for (const record of machine.keys({})) {
        if (this.board.hasBallots(record.createRevision)) live.add(record.createRevision);
      }
      const members = new Set(this.voters().map(({ node }) => node));
      // Keys that this node has not applied yet are above its revision.
      this.board.scavenge(
        (keyId) => live.has(keyId) || keyId > machine.revision,
        (node) => members.has(node),
      );
      this.#scavenge();
    });
  }
}
