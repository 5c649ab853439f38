import type { GossipEffect, MemberView } from '../../gossip/index.ts';
import type { Ballot } from '../../health/index.ts';
import { Board } from '../../health/index.ts';
import type { Member } from '../../raft/index.ts';
import type { Clock, NodeId, Revision, Verdict } from '../../shared/index.ts';
import { asRevision } from '../../shared/index.ts';

export interface HeardInit {
  readonly clock: Clock;
  /** A vote is fresh for this long. */
  readonly freshMs: number;
  /** Of the configuration in force. */
  readonly members: () => readonly Member[];
  readonly gossipers: () => readonly MemberView[];
  /** What counts for this key changed. */
  readonly onKey: (keyId: Revision) => void;
  /** What counts of a member changed, for any of its keys. */
  readonly onMember: () => void;
  /** A member vouches for its verdicts once more. */
  readonly onReport: () => void;
}

/** What this process has heard from the members about keys, its own verdicts included. */
export class Heard {
  readonly #init: HeardInit;
  readonly #board: Board;
  readonly #heardAtMs = new Map<NodeId, number>();
  /** Who is not to be listened to, of which members; null: to be found out. */
  #silent: { readonly of: readonly Member[]; readonly nodes: ReadonlySet<NodeId> } | null = null;

  constructor(init: HeardInit) {
    this.#init = init;
    this.#board = new Board({ freshMs: init.freshMs });
  }

  onGossip(effect: GossipEffect): void {
    switch (effect.kind) {
      case 'verdict': {
        const keyId = asRevision(effect.keyId);
        const valueRevision = asRevision(effect.valueRevision);
        const { owner: node, epoch, verdict, samples } = effect;
        this.#board.verdict({ node, epoch, keyId, valueRevision, verdict, samples });
        this.#init.onKey(keyId);
        return;
      }
      case 'verdictGone':
        this.#onVerdictGone(effect.owner, asRevision(effect.keyId));
        return;
      case 'report':
        this.#onReport(effect);
        return;
      case 'ownerReset':
        this.#board.ownerReset(effect.owner, effect.epoch);
        this.#init.onMember();
        return;
      case 'member':
        this.#onGossiper();
        return;
      case 'memberGone':
        this.#silent = null;
        this.#board.forgetNode(effect.nodeId);
        this.#heardAtMs.delete(effect.nodeId);
        this.#init.onMember();
        return;
      default:
    }
  }

  /** True when some node said something about some key. */
  get hasAny(): boolean {
    return this.#board.entryCount > 0;
  }

  hasBallots(keyId: Revision): boolean {
    return this.#board.hasBallots(keyId);
  }

  /** What may count for a decision, as far as this process knows. */
  ballotsFor(keyId: Revision): readonly Ballot[] {
    const ballots = this.#board.ballotsFor(keyId);
    const silent = this.#silentNodes();
    return silent.size === 0 ? ballots : ballots.filter(({ node }) => !silent.has(node));
  }

  /** What a member says of a key's present value; ABSTAIN when nothing that may count. */
  verdictOf(node: NodeId, key: { keyId: Revision; valueRevision: Revision }): Verdict | 'ABSTAIN' {
    const ballot = this.ballotsFor(key.keyId).find((one) => one.node === node);
    if (!ballot?.report || ballot.report.overdue) return 'ABSTAIN';
    const ageMs = this.#init.clock.monotonicMs() - ballot.report.receivedAtMs;
    const isCurrent = ballot.valueRevision === key.valueRevision && ageMs <= this.#init.freshMs;
    return isCurrent ? ballot.verdict : 'ABSTAIN';
  }

  /** Unix milliseconds of the last report of a node that this process heard; 0: none. */
  heardAtMs(node: NodeId): number {
    return this.#heardAtMs.get(node) ?? 0;
  }

  forgetKey(keyId: Revision): void {
    this.#board.forgetKey(keyId);
  }

  /** Drops late gossip about deleted keys and departed nodes. */
  scavenge(keepsKey: (keyId: Revision) => boolean): void {
    const members = new Set(this.#init.members().map(({ nodeId }) => nodeId));
    this.#board.scavenge(keepsKey, (node) => members.has(node));
    for (const node of this.#heardAtMs.keys()) if (!members.has(node)) this.#heardAtMs.delete(node);
  }

  #onReport(effect: Extract<GossipEffect, { kind: 'report' }>): void {
    const { owner: node, epoch, number } = effect;
    const basis = asRevision(effect.basis);
    const overdue = new Set(effect.overdue.map(asRevision));
    const { clock, onKey, onMember, onReport } = this.#init;
    const nowMs = clock.monotonicMs();
    const before = this.#board.reportOf(node);
    if (!this.#board.report({ node, epoch, number, basis, overdue }, nowMs)) return;
    this.#heardAtMs.set(node, clock.wallMs());
    const continues = before?.epoch === epoch && this.#board.isFresh(before, nowMs);
    if (!continues) onMember();
    else for (const keyId of inOneOf(overdue, before.overdue)) onKey(keyId);
    onReport();
  }

  #onVerdictGone(node: NodeId, keyId: Revision): void {
    if (this.#board.verdictGone(node, keyId)) this.#init.onKey(keyId);
  }

  #onGossiper(): void {
    const before = this.#silentNodes();
    this.#silent = null;
    const after = this.#silentNodes();
    const isSame = before.size === after.size && [...before].every((node) => after.has(node));
    if (!isSame) this.#init.onMember();
  }

  /**
   * Who left gossip abstains from then on, not only when its last report has grown old. What goes by
   * the name of a member but is another incarnation is none.
   */
  #silentNodes(): ReadonlySet<NodeId> {
    const of = this.#init.members();
    if (this.#silent?.of === of) return this.#silent.nodes;
    const gossipers = new Map(this.#init.gossipers().map((one) => [one.nodeId, one]));
    const silent = of.filter(({ nodeId, incarnation }) => {
      const found = gossipers.get(nodeId);
      return found && (found.status === 'left' || found.incarnation !== incarnation);
    });
    const nodes = new Set(silent.map(({ nodeId }) => nodeId));
    this.#silent = { of, nodes };
    return nodes;
  }
}

function* inOneOf<T>(one: ReadonlySet<T>, other: ReadonlySet<T>): Generator<T> {
  for (const item of one) if (!other.has(item)) yield item;
  for (const item of other) if (!one.has(item)) yield item;
}
