import type { NodeId, Revision, SampleStatus, Verdict } from '../shared/index.ts';
import type { Ballot, KeyId } from './decision-types.ts';

/** A node's verdict on a key as gossip delivers it. */
export interface VerdictEntry {
  readonly node: NodeId;
  /** The node's start: a higher one knows nothing of what the earlier said. */
  readonly epoch: number;
  readonly keyId: KeyId;
  readonly verdict: Verdict;
  readonly valueRevision: Revision;
  readonly samples: readonly SampleStatus[];
}

/** Once per interval, a node vouches for all its verdicts. */
export interface NodeReport {
  readonly node: NodeId;
  readonly epoch: number;
  readonly number: number;
  /** State revision applied when the oldest of its newest samples began. */
  readonly basis: Revision;
  /** Keys whose last run is overdue: it abstains on them. */
  readonly overdue: Iterable<KeyId>;
}

/** What the board remembers of a node's last report. */
export interface ReportSeen {
  readonly epoch: number;
  readonly number: number;
  readonly basis: Revision;
  readonly overdue: ReadonlySet<KeyId>;
  /** Monotonic milliseconds of this process when the number last advanced. */
  readonly receivedAtMs: number;
  /** Since when each report has come before the one before it grew stale. */
  readonly freshSinceMs: number;
}

interface NodeState {
  epoch: number;
  report: ReportSeen | null;
  /** Keys with an entry of this node, so that forgetting a node costs its keys only. */
  readonly keys: Set<KeyId>;
}

type Entry = Omit<VerdictEntry, 'node' | 'epoch' | 'keyId'>;

export interface BoardLimits {
  /** Verdicts kept; more are refused, and those nodes abstain on those keys. */
  readonly entriesMax: number;
  readonly nodesMax: number;
  /** A report backs its votes for this long. */
  readonly freshMs: number;
}

const defaultLimits: BoardLimits = {
  entriesMax: 4_000_000,
  nodesMax: 1_000,
  freshMs: Number.POSITIVE_INFINITY,
};

/**
 * Key x node -> verdict, with each node's last report. Every node is the only writer of its own
 * column; gossip hands a report over once the verdicts that it vouches for are here.
 */
export class Board {
  readonly #limits: BoardLimits;
  readonly #byKey = new Map<KeyId, Map<NodeId, Entry>>();
  readonly #nodes = new Map<NodeId, NodeState>();
  #entries = 0;

  constructor(limits: Partial<BoardLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** Verdicts on the board. */
  get entryCount(): number {
    return this.#entries;
  }

  /** Takes a verdict. False: of an earlier start of the node, or the board is full. */
  verdict({ node, epoch, keyId, ...entry }: VerdictEntry): boolean {
    const state = this.#stateAt(node, epoch);
    if (!state) return false;
    let votes = this.#byKey.get(keyId);
    if (!votes?.has(node)) {
      if (this.#entries >= this.#limits.entriesMax) return false;
      this.#entries++;
      state.keys.add(keyId);
    }
    if (!votes) this.#byKey.set(keyId, (votes = new Map<NodeId, Entry>()));
    votes.set(node, entry);
    return true;
  }

  /** The node has no verdict on this key any more. False: it had none. */
  verdictGone(node: NodeId, keyId: KeyId): boolean {
    const votes = this.#byKey.get(keyId);
    if (!votes?.delete(node)) return false;
    this.#entries--;
    this.#nodes.get(node)?.keys.delete(keyId);
    if (votes.size === 0) this.#byKey.delete(keyId);
    return true;
  }

  /** Takes a report at `nowMs`. False when its number is no news: a relayed old one renews nothing. */
  report(report: NodeReport, nowMs: number): boolean {
    const { epoch, number, basis } = report;
    const state = this.#stateAt(report.node, epoch);
    if (!state || (state.report && number <= state.report.number)) return false;
    const overdue = new Set(report.overdue);
    const freshSinceMs = this.isFresh(state.report, nowMs) ? state.report.freshSinceMs : nowMs;
    state.report = { epoch, number, basis, overdue, receivedAtMs: nowMs, freshSinceMs };
    return true;
  }

  /** Whether the report still backs votes at `nowMs`. */
  isFresh(report: ReportSeen | null, nowMs: number): report is ReportSeen {
    return report !== null && nowMs - report.receivedAtMs <= this.#limits.freshMs;
  }

  /** The node started again as `epoch`: what it said before counts no more. */
  ownerReset(node: NodeId, epoch: number): void {
    this.#stateAt(node, epoch);
  }

  /** The node left the cluster. */
  forgetNode(node: NodeId): void {
    this.#clearVerdicts(node);
    this.#nodes.delete(node);
  }

  /** The key was deleted. */
  forgetKey(keyId: KeyId): void {
    const votes = this.#byKey.get(keyId);
    if (!votes) return;
    this.#byKey.delete(keyId);
    this.#entries -= votes.size;
    for (const node of votes.keys()) this.#nodes.get(node)?.keys.delete(keyId);
  }

  /**
   * Drops what should not be here: late gossip about deleted keys or departed nodes. A key that this
   * node has not applied yet must be kept by `keepsKey`.
   */
  scavenge(keepsKey: (keyId: KeyId) => boolean, keepsNode: (node: NodeId) => boolean): void {
    for (const node of [...this.#nodes.keys()]) if (!keepsNode(node)) this.forgetNode(node);
    for (const keyId of [...this.#byKey.keys()]) if (!keepsKey(keyId)) this.forgetKey(keyId);
  }

  /** True when some node said something about the key. */
  hasBallots(keyId: KeyId): boolean {
    return this.#byKey.has(keyId);
  }

  /** What each node says about the key, for `decide`. Nodes that said nothing are left out. */
  ballotsFor(keyId: KeyId): readonly Ballot[] {
    const votes = this.#byKey.get(keyId);
    if (!votes) return [];
    return Array.from(votes, ([node, entry]) => ({
      node,
      ...entry,
      report: this.#reportOn(node, keyId),
    }));
  }

  /** The last report of a node. */
  reportOf(node: NodeId): ReportSeen | undefined {
    return this.#nodes.get(node)?.report ?? undefined;
  }

  /** Keys with a verdict of this node. */
  keysOf(node: NodeId): Iterable<KeyId> {
    return this.#nodes.get(node)?.keys ?? [];
  }

  #reportOn(node: NodeId, keyId: KeyId): Ballot['report'] {
    const report = this.#nodes.get(node)?.report;
    if (!report) return null;
    const { basis, receivedAtMs, freshSinceMs } = report;
    return { basis, receivedAtMs, freshSinceMs, overdue: report.overdue.has(keyId) };
  }

  /** The node's state at `epoch`, started anew for a later one; undefined for an earlier one. */
  #stateAt(node: NodeId, epoch: number): NodeState | undefined {
    const known = this.#nodes.get(node);
    if (!known) return this.#admit(node, epoch);
    if (epoch < known.epoch) return undefined;
    if (epoch > known.epoch) {
      this.#clearVerdicts(node);
      known.epoch = epoch;
      known.report = null;
    }
    return known;
  }

  #admit(node: NodeId, epoch: number): NodeState | undefined {
    if (this.#nodes.size >= this.#limits.nodesMax) return undefined;
    const state: NodeState = { epoch, report: null, keys: new Set() };
    this.#nodes.set(node, state);
    return state;
  }

  #clearVerdicts(node: NodeId): void {
    for (const keyId of [...(this.#nodes.get(node)?.keys ?? [])]) this.verdictGone(node, keyId);
  }
}
