import type { Member } from '../../../../src/health/index.ts';
import type { ReplicaState } from '../../../../src/node/replica/index.ts';
import type { Run } from '../../../../src/node/watching/notification-run.ts';
import { Notifier } from '../../../../src/node/watching/notifier.ts';
import { judgeAttempt } from '../../../../src/health/index.ts';
import type { DecisionSettings, EventRecord, NodeId } from '../../../../src/shared/index.ts';
import { asNodeId, QuorateError } from '../../../../src/shared/index.ts';
import type { Operation } from '../../../../src/store/index.ts';
import { defaultDecisionSettings } from '../../../../src/store/index.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { put, Store } from '../../store/harness.ts';
import { LinesLogger } from '../support.ts';

/** A script run that the test ends. */
export interface OpenRun {
  readonly node: NodeId;
  readonly event: EventRecord;
  readonly role: 'leader' | 'follower';
  readonly attempt: number;
  exit(exitCode: number): void;
  lose(): void;
  /** It could not be started. */
  fail(): void;
  refuse(error: Error): void;
}

/** The replicated state that all nodes of a test share, and what nodes want of each other. */
export class Ledger {
  readonly clock = new VirtualClock();
  readonly store = new Store();
  readonly logger = new LinesLogger();
  settings: DecisionSettings = { ...defaultDecisionSettings };
  leader: NodeId | null = asNodeId('node1');
  /** Set: commits fail with this code. */
  failing: 'NO_LEADER' | 'UNKNOWN_OUTCOME' | 'STOPPED' | null = null;
  readonly committed: Operation[] = [];
  readonly listeners: ((event: EventRecord) => void)[] = [];
  /** Set: what this state is on nodes that lag behind. */
  lagging: Store | null = null;
  /** Applied, but the proposer does not know yet. */
  holdAnswers: Promise<undefined> | null = null;

  get state(): ReplicaState {
    const store = this.lagging ?? this.store;
    const read = (row: Uint8Array): Uint8Array | null =>
      store.rows.get(String.fromCharCode(...row))?.value ?? null;
    const engine = { read: (row: Uint8Array) => Promise.resolve(read(row)), peek: read };
    return { machine: store.machine, engine } as unknown as ReplicaState;
  }

  async commit(operation: Operation): Promise<{ readonly changed: boolean }> {
    await Promise.resolve();
    if (this.failing !== null) throw new QuorateError(this.failing, 'as the test wants');
    this.committed.push(operation);
    const result = this.store.run(operation);
    for (const notice of this.store.lastNotices) {
      if (notice.kind === 'notification') for (const listen of this.listeners) listen(notice.event);
    }
    await this.holdAnswers;
    if (!result.ok) throw new QuorateError(result.code, result.message);
    return result;
  }

  /** A key with a baseline and a pending DOWN event. */
  eventOf(key: string): EventRecord {
    this.store.must(put(key, 'v'));
    this.store.must(this.store.baseline(key, 'UP'));
    return this.store.event(this.store.must(this.store.recordEvent(key)));
  }

  attemptsOf(event: EventRecord) {
    return this.store.event(event.id).notification.attempts;
  }
}

/** One node's notifier with scripts that the test ends. */
export class NotifierNode {
  readonly node: NodeId;
  readonly runs: OpenRun[] = [];
  readonly notifier: Notifier;
  /** null: it cannot be asked. */
  holderAnswers: boolean | null = null;
  readonly asked: NodeId[] = [];
  reverted = false;
  askHolder: (holder: NodeId, eventId: EventRecord['id']) => Promise<boolean | null>;

  constructor(ledger: Ledger, name = 'node1') {
    const node = asNodeId(name);
    this.node = node;
    this.askHolder = () => Promise.resolve(this.holderAnswers);
    this.notifier = new Notifier({
      clock: ledger.clock,
      logger: ledger.logger,
      node,
      script: { run: (event, role, attempt) => this.#run(event, role, attempt) },
      state: () => ledger.state,
      settings: () => ledger.settings,
      mayDecide: () => ledger.leader === node,
      reconsider: () =>
        this.reverted
          ? { verdict: 'superseded', reason: 'UP is agreed' }
          : { verdict: 'run', reason: 'it stands' },
      commit: (operation) => ledger.commit(operation),
      askHolder: (holder, eventId) => {
        this.asked.push(holder);
        return this.askHolder(holder, eventId);
      },
    });
    ledger.listeners.push((event) => {
      this.notifier.onChange(event);
      this.notifier.checkSoon();
    });
    this.notifier.start();
  }

  #run(event: EventRecord, role: 'leader' | 'follower', attempt: number): Promise<Run> {
    return new Promise((resolve, reject) => {
      const settle = (exitCode: number | null, isLost: boolean): void => {
        const end = { exitCode, signal: null, timedOut: false, durationMs: 7, output: 'out' };
        resolve({ end, judged: judgeAttempt(end, attempt, 10), isLost });
      };
      this.runs.push({
        node: this.node,
        event,
        role,
        attempt,
        exit: (exitCode) => settle(exitCode, false),
        lose: () => settle(null, true),
        fail: () => settle(null, false),
        refuse: reject,
      });
    });
  }
}

export const votersNamed = (...names: readonly string[]): readonly Member[] =>
  names.map((name) => ({ node: asNodeId(name), zone: '', role: 'voter' }));
