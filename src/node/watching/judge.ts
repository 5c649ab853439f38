import type { Decision, DecideInput, Member } from '../../health/index.ts';
import { awaitsReport, decide, keyStateOf, noHold, reconsider } from '../../health/index.ts';
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
import { CaseBook } from './case-book.ts';
import type { Case } from './case-book.ts';
import { Docket } from './docket.ts';
import type { Heard } from './heard.ts';
import { operationFor } from './proposal.ts';
import type { Proposal } from './proposal.ts';

/** How often it is checked whether this node decides and by the same rules as before. */
const checkMs = 200;
/** What changes together is looked at together. */
const changedDelayMs = 20;
const retryMs = 500;

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
  readonly commit: (operation: Operation) => Promise<{ readonly changed: boolean }>;
  /** How many keys have an agreement that is no event yet. */
  readonly onWaiting: (count: number) => void;
}

/** What every decision rests on; another object means another content. */
type World = readonly [...(readonly object[]), abstains: boolean];

/**
 * On the leader: asks `decide` about a key whenever something that counts for it changed and when
 * time alone may have changed the answer, and commits what it says, one proposal a key.
 */
export class Judge {
  readonly #init: JudgeInit;
  readonly #docket = new Docket();
  readonly #cases = new CaseBook();
  #cancelCheck: Cancel = () => undefined;
  #turn: { readonly atMs: number; readonly cancel: Cancel } | null = null;
  #world: World | null = null;
  /**
   * All live keys have a case, or get one by the walk under way: a ballot on any other is about a key
   * that is gone or not applied yet. False while nobody says anything about keys at all.
   */
  #listsAll = false;

  constructor(init: JudgeInit) {
    this.#init = init;
  }

  start(): void {
    this.#cancelCheck = this.#init.clock.after(checkMs, () => {
      this.#checkWorld();
      this.start();
    });
  }

  stop(): void {
    this.#cancelCheck();
    this.#turn?.cancel();
  }

  /** What members say about this key changed: it is looked at soon. */
  ballotsChanged(keyId: Revision): void {
    if (this.#world === null) return;
    if (this.#cases.byId(keyId)) this.#docket.changed(keyId);
    else if (!this.#listsAll) {
      this.#listsAll = true;
      this.#docket.allChanged();
    }
    this.#turnIn(changedDelayMs);
  }

  /** What counts of some member changed, for any of its keys. */
  memberChanged(): void {
    if (this.#world === null) return;
    this.#docket.allChanged();
    this.#turnIn(changedDelayMs);
  }

  /** A member vouched for its verdicts once more. */
  reportHeard(): void {
    if (this.#cases.awaitingReports.size === 0) return;
    for (const keyId of this.#cases.awaitingReports) this.#docket.changed(keyId);
    this.#turnIn(changedDelayMs);
  }

  /** The key was created or changed. */
  keyApplied(record: KeyRecord): void {
    if (!this.#listsAll) return;
    this.#caseOf(record);
    this.#docket.changed(record.createRevision);
    this.#turnIn(changedDelayMs);
  }

  /** Its baseline, its events or their notifications changed. */
  healthChanged(key: string): void {
    const found = this.#cases.byName(key);
    if (found === undefined) return;
    this.#docket.changed(found.keyId);
    this.#turnIn(changedDelayMs);
  }

  /** The key was deleted; there may be another of its name. */
  keyGone(key: string): void {
    const gone = this.#cases.byName(key);
    if (gone === undefined) return;
    this.#cases.close(gone);
    this.#docket.forget(gone.keyId);
    this.#init.heard.forgetKey(gone.keyId);
  }

  /** The whole state was replaced: nothing that was known of keys holds. */
  stateReplaced(): void {
    this.#forgetAll();
    this.#world = null;
  }

  /** Whether a notification that has not run yet still makes sense. */
  reconsider(event: EventRecord): Reconsidered {
    const record = this.#init.state().machine.key(utf8(event.key));
    if (record === undefined || record.createRevision !== event.createRevision) {
      return { verdict: 'superseded', reason: 'the key is gone' };
    }
    return reconsider(event, this.inputFor(record));
  }

  /** All that a decision on the key rests on now, as this process knows it. */
  inputFor(record: KeyRecord): DecideInput {
    const { clock, heard, activity, stallGuard, node, freshMs } = this.#init;
    const { machine } = this.#init.state();
    const known = this.#cases.byId(record.createRevision);
    const key = known?.name ?? fromUtf8(record.key);
    const nowMs = clock.monotonicMs();
    return {
      nowMs,
      self: { node, abstains: stallGuard.abstains(nowMs), stalledAtMs: stallGuard.stalledAtMs },
      key: keyStateOf(record.valueRevision, machine.health(key)),
      members: this.#init.members(),
      ballots: heard.ballotsFor(record.createRevision),
      settings: this.#init.settings(),
      freshMs,
      hold: known?.hold ?? noHold,
      activity: activity.of(key, machine),
    };
  }

  /** Holds begin anew whenever this node begins to decide: others may have seen what it did not. */
  #checkWorld(): void {
    const before = this.#world;
    this.#world = this.#worldNow();
    if (this.#world === null) {
      if (before !== null) this.#forgetAll();
      return;
    }
    if (before !== null && this.#world.every((part, i) => part === before[i])) return;
    if (before === null) {
      this.#forgetAll();
      this.#listsAll = this.#init.heard.hasAny;
    }
    this.#docket.allChanged();
    this.#turnIn(0);
  }

  #worldNow(): World | null {
    const { mayDecide, state, members, settings, stallGuard, clock } = this.#init;
    if (!mayDecide()) return null;
    return [state(), members(), settings(), stallGuard.abstains(clock.monotonicMs())];
  }

  #turnIn(delayMs: number): void {
    const { clock } = this.#init;
    const atMs = clock.monotonicMs() + delayMs;
    if (this.#turn !== null && this.#turn.atMs <= atMs) return;
    this.#turn?.cancel();
    this.#turn = { atMs, cancel: clock.after(delayMs, () => this.#takeTurn()) };
  }

  #takeTurn(): void {
    this.#turn = null;
    this.#checkWorld();
    if (this.#world === null) return;
    const { clock, state, heard, onWaiting } = this.#init;
    const { machine } = state();
    const nowMs = clock.monotonicMs();
    for (const keyId of this.#docket.take(nowMs)) this.#judgeKnown(keyId);
    for (const record of this.#docket.takeWalked(machine)) {
      if (heard.hasBallots(record.createRevision)) this.#judge(record);
      else if (this.#listsAll) this.#caseOf(record);
    }
    onWaiting(this.#cases.waitingCount);
    this.#planTurn(nowMs);
  }

  #planTurn(nowMs: number): void {
    if (this.#docket.isBusy) this.#turnIn(changedDelayMs);
    const nextMs = this.#docket.nextDeadlineMs;
    if (nextMs !== null) this.#turnIn(Math.max(changedDelayMs, nextMs - nowMs));
  }

  #judgeKnown(keyId: Revision): void {
    const one = this.#cases.byId(keyId);
    const record = one && this.#init.state().machine.key(one.key);
    if (record?.createRevision === keyId) this.#judge(record);
  }

  #forgetAll(): void {
    this.#docket.clear();
    this.#cases.clear();
    this.#listsAll = false;
    this.#init.onWaiting(0);
  }

  #judge(record: KeyRecord): void {
    const one = this.#caseOf(record);
    if (one.isProposing) return;
    const input = this.inputFor(record);
    const decision = decide(input);
    this.#keep(one, decision, input);
    if (decision.kind === 'baseline' || decision.kind === 'event') {
      one.isProposing = true;
      void this.#commit(one, { name: one.name, record, decision });
    }
  }

  #keep(one: Case, decision: Decision, input: DecideInput): void {
    const { kind, reason, nextCheckInMs } = decision;
    const isNews = this.#cases.keep(one, decision, awaitsReport(input));
    const atMs = nextCheckInMs === null ? null : input.nowMs + nextCheckInMs;
    this.#docket.lookAt(one.keyId, atMs);
    if (!isNews || kind === 'none') return;
    // An event is told when it is applied, on every node.
    const level = kind === 'event' ? 'debug' : 'info';
    const { name } = one;
    this.#init.logger[level]({ key: name, reason }, `${decidedText[kind]} ${name}: ${reason}`);
  }

  #caseOf(record: KeyRecord): Case {
    const known = this.#cases.byId(record.createRevision);
    if (known !== undefined) return known;
    this.keyGone(fromUtf8(record.key));
    return this.#cases.open(record);
  }

  async #commit(one: Case, proposal: Proposal): Promise<void> {
    let changed = false;
    try {
      const { state, isTracked } = this.#init;
      const operation = await operationFor(proposal, state().engine, isTracked);
      // Another leader decides for itself.
      if (this.#init.mayDecide()) ({ changed } = await this.#init.commit(operation));
    } catch (error) {
      // Decided again later; a lost compare-and-set is a no-op, so nothing happens twice.
      const code = codeOf(error);
      this.#init.logger.warn(
        { key: one.name, code, error },
        `Cannot commit a decision on ${one.name} yet`,
      );
    } finally {
      one.isProposing = false;
      this.#lookAgain(one, changed ? changedDelayMs : retryMs);
    }
  }

  /** What changed while the proposal was in flight was not looked at. */
  #lookAgain(one: Case, delayMs: number): void {
    if (this.#cases.byId(one.keyId) !== one) return;
    this.#docket.lookAt(one.keyId, this.#init.clock.monotonicMs() + delayMs);
    this.#turnIn(delayMs);
  }
}

const decidedText = {
  baseline: 'Baseline of',
  event: 'Proposing an event of',
  waiting: 'No event yet of',
} as const;
