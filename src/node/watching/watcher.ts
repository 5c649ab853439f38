import type { StallGuard, WindowSettings } from '../../health/index.ts';
import {
  reportBasis,
  sampleStatusOf,
  SampleWindow,
  Schedule,
  verifyInvocation,
} from '../../health/index.ts';
import type { RunResult, ScriptRunner } from '../../runner/index.ts';
import type { Cancel, Clock, Logger, NodeId, Revision, SampleStatus } from '../../shared/index.ts';
import { codeOf, fromUtf8 } from '../../shared/index.ts';
import type { KeyRecord } from '../../store/index.ts';
import type { ReplicaState } from '../replica/index.ts';
import type { Script } from './script.ts';
import { WatchList } from './watch-list.ts';
import type { Watched } from './watch-list.ts';

/** Where verdicts and reports go: the gossip core of this node. */
export interface Publisher {
  publishVerdict(verdict: {
    keyId: number;
    valueRevision: number;
    verdict: SampleWindow['verdict'];
    samples: SampleStatus[];
  }): void;
  retractVerdict(keyId: number): void;
  publishReport(report: { basis: number; overdue: number[] }): void;
}

export interface WatcherInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly node: NodeId;
  readonly zone: string;
  readonly script: Script;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly concurrencyMax: number;
  readonly window: WindowSettings;
  readonly runner: ScriptRunner;
  readonly state: () => ReplicaState;
  readonly publisher: Publisher;
  readonly stallGuard: StallGuard;
  readonly onSample: (status: SampleStatus, durationMs: number) => void;
}

/** Runs the verification script for every key, once per interval, and publishes what it says. */
export class Watcher {
  readonly #init: WatcherInit;
  readonly #schedule: Schedule;
  readonly #list = new WatchList();
  #cancelStart: Cancel = () => undefined;
  #cancelReport: Cancel = () => undefined;
  #stopped = false;

  constructor(init: WatcherInit) {
    this.#init = init;
    const { intervalMs, timeoutMs, concurrencyMax, clock } = init;
    this.#schedule = new Schedule({ intervalMs, timeoutMs, concurrencyMax }, clock.monotonicMs());
  }

  get runningCount(): number {
    return this.#schedule.runningCount;
  }

  start(): void {
    this.rebuild();
    this.#planStart();
    this.#planReport();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelStart();
    this.#cancelReport();
  }

  /** Follows the whole state: after start and after a snapshot install. */
  rebuild(): void {
    const live = new Set<Revision>();
    for (const record of this.#init.state().machine.keys({})) {
      live.add(record.createRevision);
      this.onKey(fromUtf8(record.key), record);
    }
    for (const watched of [...this.#list.all]) if (!live.has(watched.keyId)) this.#forget(watched);
  }

  /** A key was created, changed or (null) deleted. */
  onKey(key: string, record: KeyRecord | null): void {
    const known = this.#list.byName(key);
    if (known !== undefined && known.keyId !== record?.createRevision) this.#forget(known);
    if (record === null) return;
    if (known !== undefined && known.keyId === record.createRevision) this.#change(known, record);
    else this.#add(key, record);
    this.#planStart();
  }

  overdueCount(): number {
    return this.#schedule.overdue(this.#init.clock.monotonicMs()).length;
  }

  samplesOf(key: string): Watched | undefined {
    return this.#list.byName(key);
  }

  get watched(): Iterable<Watched> {
    return this.#list.all;
  }

  #add(key: string, record: KeyRecord): void {
    const window = new SampleWindow(this.#init.window, record.valueRevision);
    this.#list.add({ key, keyId: record.createRevision, record, window });
    this.#schedule.add(record.createRevision, this.#init.clock.monotonicMs());
  }

  #change(watched: Watched, record: KeyRecord): void {
    const isNewValue = record.valueRevision !== watched.record.valueRevision;
    watched.record = record;
    if (!isNewValue) return;
    watched.window.valueIs(record.valueRevision);
    this.#publish(watched);
  }

  #forget(watched: Watched): void {
    this.#list.remove(watched);
    this.#schedule.remove(watched.keyId);
    this.#init.publisher.retractVerdict(watched.keyId);
  }

  #planStart(): void {
    this.#cancelStart();
    if (this.#stopped) return;
    const dueInMs = this.#schedule.nextDueInMs(this.#init.clock.monotonicMs());
    if (dueInMs === null) return;
    this.#cancelStart = this.#init.clock.after(Math.max(1, dueInMs), () => this.#startDue());
  }

  #startDue(): void {
    for (const keyId of this.#schedule.start(this.#init.clock.monotonicMs())) {
      void this.#verify(keyId);
    }
    this.#planStart();
  }

  async #verify(keyId: Revision): Promise<void> {
    let sampled = false;
    try {
      const watched = this.#list.byId(keyId);
      if (watched !== undefined) sampled = await this.#sample(watched);
    } catch (error) {
      // A full queue or a stopping runner: no sample; an engine that fails stops the node by itself.
      const code = codeOf(error);
      if (code === 'STOPPED') return;
      const key = this.#list.byId(keyId)?.key ?? null;
      this.#init.logger.warn({ keyId, key, error }, `Cannot verify ${key ?? 'a deleted key'}`);
    } finally {
      this.#schedule.finished(keyId, this.#init.clock.monotonicMs(), sampled);
      this.#planStart();
    }
  }

  /** True when the run yielded a sample. */
  async #sample(watched: Watched): Promise<boolean> {
    const { machine, engine } = this.#init.state();
    const startedAtBasis = machine.revision;
    const { record } = watched;
    const value = engine.peek(record.valueRow) ?? (await engine.read(record.valueRow));
    if (value === null) return false; // Replaced or deleted meanwhile.
    const result = await this.#run(watched.key, value, record.valueRevision);
    if (result.lost !== null || this.#stopped) return false;
    const status = sampleStatusOf(result);
    const detail = result.output;
    this.#init.onSample(status, result.durationMs);
    const sample = { status, atMs: this.#init.clock.wallMs(), startedAtBasis, detail };
    const before = watched.window.verdict;
    if (this.#list.byId(watched.keyId) !== watched) return true;
    if (!watched.window.add(sample, record.valueRevision)) return true;
    if (watched.window.verdict !== before || watched.window.items.length === 1) {
      this.#publish(watched);
    }
    return true;
  }

  #run(key: string, value: Uint8Array, valueRevision: Revision): Promise<RunResult> {
    const { node, zone, script, timeoutMs, runner } = this.#init;
    const { args, env, stdin } = verifyInvocation({ key, value, valueRevision, node, zone });
    const file = script.file;
    return runner.run({
      kind: 'verify',
      file,
      args: [...script.args, ...args],
      env,
      stdin,
      timeoutMs,
    });
  }

  #publish({ keyId, window }: Watched): void {
    const { valueRevision, verdict, samples } = window;
    this.#init.publisher.publishVerdict({ keyId, valueRevision, verdict, samples: [...samples] });
  }

  #planReport(): void {
    if (this.#stopped) return;
    this.#cancelReport = this.#init.clock.after(this.#init.intervalMs, () => {
      this.#report();
      this.#planReport();
    });
  }

  /** Vouches for all verdicts; what is overdue, or everything after a stall, abstains. */
  #report(): void {
    const nowMs = this.#init.clock.monotonicMs();
    const abstains = this.#init.stallGuard.abstains(nowMs);
    const all = [...this.#list.all];
    const overdue = abstains ? all.map((one) => one.keyId) : this.#schedule.overdue(nowMs);
    const silent = new Set(overdue);
    const windows = all.filter((one) => !silent.has(one.keyId)).map((one) => one.window);
    const basis = reportBasis(windows, this.#init.state().machine.revision);
    this.#init.publisher.publishReport({ basis, overdue: [...overdue] });
  }
}
