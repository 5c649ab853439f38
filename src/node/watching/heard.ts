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
  /** A verdict on this key changed. */
  readonly onVerdict: (keyId: Revision) => void;
}

/** What this process has heard from the members about keys, its own verdicts included. */
export class Heard {
  readonly #init: HeardInit;
  readonly #board = new Board();
  readonly #heardAtMs = new Map<NodeId, number>();
  /** Who is not to be listened to, of which members; null: to be found out. */
  #silent: { readonly of: readonly Member[]; readonly nodes: ReadonlySet<NodeId> } | null = null;

  constructor(init: HeardInit) {
    this.#init = init;
  }

  onGossip(effect: GossipEffect): void {
    switch (effect.kind) {
      case 'verdict': {
        const keyId = asRevision(effect.keyId);
        const valueRevision = asRevision(effect.valueRevision);
        const { owner: node, epoch, verdict, samples } = effect;
        this.#board.verdict({ node, epoch, keyId, valueRevision, verdict, samples });
        this.#init.onVerdict(keyId);
        return;
      }
      case 'verdictGone':
        this.#board.verdictGone(effect.owner, asRevision(effect.keyId));
        return;
      case 'report':
        this.#onReport(effect);
        return;
      case 'ownerReset':
        this.#board.ownerReset(effect.owner, effect.epoch);
        return;
      case 'member':
        this.#silent = null;
        return;
      case 'memberGone':
        this.#silent = null;
        this.#board.forgetNode(effect.nodeId);
        this.#heardAtMs.delete(effect.nodeId);
        return;
      default:
    }
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
    const { clock } = this.#init;
    const isNews = this.#board.report({ node, epoch, number, basis, overdue }, clock.monotonicMs());
    if (isNews) this.#heardAtMs.set(node, clock.wallMs());
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
