import type { Decision, DecideInput, HoldState, Member } from '../../health/index.ts';
import { decide, keyStateOf, noHold, reconsider } from '../../health/index.ts';
import type { Reconsidered, StallGuard } from '../../health/index.ts';
import type {
  Cancel,
  Clock,
  DecisionSettings,
  EventRecord,
  Logger,
  NodeId,
  Revision,
} from '../../shared/index.ts';
import { codeOf, fromUtf8, utf8 } from '../../shared/index.ts';
import type { KeyRecord, Operation } from '../../store/index.ts';
import type { ReplicaState } from '../replica/index.ts';
import type { NotificationActivity } from './activity.ts';
import type { Heard } from './heard.ts';

/** Keys are looked at this often, at most `sweepKeys` at a time; those that changed at once. */
const sweepMs = 500;
const sweepKeys = 5_000;
const changedDelayMs = 20;

export interface JudgeInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly node: NodeId;
  readonly heard: Heard;
  readonly activity: NotificationActivity;
  readonly stallGuard: StallGuard;
  readonly freshMs: number;
  readonly state: () => ReplicaState;
  readonly members: () => readonly Member[];
  readonly settings: () => DecisionSettings;
  /** This node leads and has applied its own no-op. */
  readonly mayDecide: () => boolean;
  /** Events get a tracked notification. */
  readonly isTracked: boolean;
  /** Commits one operation; resolves when it is applied. */
  readonly commit: (operation: Operation) => Promise<unknown>;
  /** How many keys have an agreement that is no event yet; after each sweep. */
  readonly onWaiting: (count: number) => void;
}

interface Case {
  readonly keyId: Revision;
  readonly key: Uint8Array;
  hold: HoldState;
  isProposing: boolean;
  last: Decision | null;
}

/** On the leader: asks `decide` about every key and commits what it says, one proposal a key. */
export class Judge {
  readonly #init: JudgeInit;
  readonly #cases = new Map<Revision, Case>();
  readonly #casesByName = new Map<string, Case>();
  /** Keys with an agreement that is no event yet: time alone may make it one. */
  readonly #waiting = new Set<Revision>();
  readonly #changed = new Set<Revision>();
  #cancelSweep: Cancel = () => undefined;
  #cancelChanged: Cancel | null = null;
  #wasDeciding = false;
  /** Where the next sweep goes on; undefined: at the first key. */
  #sweptTo: Uint8Array | undefined;

  constructor(init: JudgeInit) {
    this.#init = init;
  }

  start(): void {
    this.#cancelSweep = this.#init.clock.after(sweepMs, () => {
      this.#sweep();
      this.start();
    });
  }

  stop(): void {
    this.#cancelSweep();
    this.#cancelChanged?.();
  }

  /** Something about this key changed: it is looked at soon. */
  keyChanged(keyId: Revision): void {
    this.#changed.add(keyId);
    this.#cancelChanged ??= this.#init.clock.after(changedDelayMs, () => this.#judgeChanged());
  }

  /** The key was deleted; there may be another of its name. */
  keyGone(key: string): void {
    const gone = this.#casesByName.get(key);
    if (gone === undefined) return;
    this.#casesByName.delete(key);
    this.#cases.delete(gone.keyId);
    this.#waiting.delete(gone.keyId);
    this.#init.heard.forgetKey(gone.keyId);
  }

  /** Whether a notification that has not run yet still makes sense. */
  reconsider(event: EventRecord): Reconsidered {
    const record = this.#init.state().machine.key(utf8(event.key));
    if (record === undefined || record.createRevision !== event.createRevision) {
      return { verdict: 'superseded', reason: 'the key is gone' };
    }
    return reconsider(event, this.#inputFor(event.key, record));
  }

  #judgeChanged(): void {
    this.#cancelChanged = null;
    const changed = [...this.#changed];
    this.#changed.clear();
    if (this.#isDeciding()) this.#judgeKnown(changed);
  }

  #judgeKnown(keyIds: Iterable<Revision>): void {
    const { machine } = this.#init.state();
    for (const keyId of keyIds) {
      const one = this.#cases.get(keyId);
      const record = one === undefined ? undefined : machine.key(one.key);
      if (record?.createRevision === keyId) this.#judge(record);
    }
  }

  #sweep(): void {
    if (!this.#isDeciding()) return;
    // Else the keys themselves come by in each sweep.
    if (this.#sweptTo !== undefined) this.#judgeKnown([...this.#waiting].slice(0, sweepKeys));
    const query = { ...(this.#sweptTo && { after: this.#sweptTo }), limit: sweepKeys };
    const { heard, state, onWaiting } = this.#init;
    let count = 0;
    this.#sweptTo = undefined;
    for (const record of state().machine.keys(query)) {
      if (heard.hasBallots(record.createRevision)) this.#judge(record);
      if (++count === sweepKeys) this.#sweptTo = record.key;
    }
    onWaiting(this.#waiting.size);
  }

  /** Holds begin anew whenever this node begins to decide: others may have seen what it did not. */
  #isDeciding(): boolean {
    const deciding = this.#init.mayDecide();
    if (deciding !== this.#wasDeciding) this.#forgetAll();
    this.#wasDeciding = deciding;
    return deciding;
  }

  #forgetAll(): void {
    this.#cases.clear();
    this.#casesByName.clear();
    this.#waiting.clear();
    this.#init.onWaiting(0);
  }

  #judge(record: KeyRecord): void {
    const key = fromUtf8(record.key);
    const known = this.#cases.get(record.createRevision);
    if (known?.isProposing === true) return;
    const decision = decide(this.#inputFor(key, record, known?.hold));
    const one = known ?? this.#open(key, record);
    one.hold = decision.hold;
    if (decision.kind === 'waiting') this.#waiting.add(one.keyId);
    else this.#waiting.delete(one.keyId);
    this.#note(key, one, decision);
    if (decision.kind === 'baseline' || decision.kind === 'event') {
      one.isProposing = true;
      void this.#commit({ key, record, decision, one });
    }
  }

  #open(key: string, record: KeyRecord): Case {
    this.keyGone(key);
    const keyId = record.createRevision;
    const one = { keyId, key: record.key, hold: noHold, isProposing: false, last: null };
    this.#cases.set(keyId, one);
    this.#casesByName.set(key, one);
    return one;
  }

  #note(key: string, one: Case, decision: Decision): void {
    const before = one.last;
    one.last = decision;
    if (before?.kind === decision.kind) return;
    const { logger } = this.#init;
    if (decision.kind !== 'none')
      logger.info({ key, reason: decision.reason }, `Decided: ${decision.kind}`);
  }

  #inputFor(key: string, record: KeyRecord, hold: HoldState = noHold): DecideInput {
    const { clock, heard, activity, stallGuard, node, freshMs } = this.#init;
    const { machine } = this.#init.state();
    const nowMs = clock.monotonicMs();
    return {
      nowMs,
      self: { node, abstains: stallGuard.abstains(nowMs), stalledAtMs: stallGuard.stalledAtMs },
      key: keyStateOf(record.valueRevision, machine.health(key)),
      members: this.#init.members(),
      ballots: heard.ballotsFor(record.createRevision),
      settings: this.#init.settings(),
      freshMs,
      hold,
      activity: activity.of(key, machine),
    };
  }

  async #commit(verdict: Verdict): Promise<void> {
    const { key, one } = verdict;
    try {
      const operation = await this.#operation(verdict);
      // Another leader decides for itself.
      if (this.#init.mayDecide()) await this.#init.commit(operation);
    } catch (error) {
      // The next sweep decides again; a lost compare-and-set is a no-op, so nothing happens twice.
      const code = codeOf(error);
      this.#init.logger.warn({ key, code, error }, 'Cannot commit a decision yet');
    } finally {
      one.isProposing = false;
    }
  }

  async #operation({ key, record, decision }: Verdict): Promise<Operation> {
    const { createRevision, valueRevision } = record;
    const expect = { key, createRevision, valueRevision };
    if (decision.kind === 'baseline') return { kind: 'setBaseline', expect, to: decision.to };
    const { engine } = this.#init.state();
    const value = (await engine.read(record.valueRow)) ?? new Uint8Array();
    const { from, to, reason, evidence } = decision;
    const tracked = this.#init.isTracked;
    return { kind: 'recordEvent', expect, value, from, to, reason, evidence, tracked };
  }
}

interface Verdict {
  readonly key: string;
  readonly record: KeyRecord;
  readonly decision: Extract<Decision, { kind: 'baseline' | 'event' }>;
  readonly one: Case;
}
