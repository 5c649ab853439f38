import type {
  Configuration,
  Entry,
  MemberChange,
  RaftInput,
  RaftMessage,
  RaftOutput,
  RaftSettings,
  Reply,
} from '../../src/raft/index.ts';
import { asIndex, assert, seededRandom, utf8 } from '../../src/shared/index.ts';
import type { PeerId, Random } from '../../src/shared/index.ts';
import { entry, initOf, peer } from './raft-fixtures.ts';
import { RaftNode } from './raft-node.ts';

export interface ClusterOptions {
  readonly configuration: Configuration;
  /** Names of nodes; those outside the configuration start empty. */
  readonly nodes: string;
  readonly seed?: number;
  readonly settings?: Partial<RaftSettings>;
  /** Terms of the entries each node starts with. */
  readonly terms?: Readonly<Record<string, readonly number[]>>;
}

const TICK_MS = 10;
const DELIVERIES_MAX = 100_000;

/** Nodes in one thread, with a network that does what the test says. */
export class RaftCluster {
  readonly nodes = new Map<PeerId, RaftNode>();
  readonly random: Random;
  /** Messages on their way, oldest first. */
  network: RaftMessage[] = [];
  /** Says which messages get lost; asked when they are delivered. */
  loses: (message: RaftMessage) => boolean = () => false;
  /** Snapshot transfers end at once; set to false to hold them in `snapshots`. */
  sendsSnapshotsAtOnce = true;
  snapshots: { readonly from: PeerId; readonly to: PeerId }[] = [];
  onOutput: (node: RaftNode, output: RaftOutput) => void = () => undefined;
  onReleased: (node: RaftNode, entries: readonly Entry[]) => void = () => undefined;
  /** The monotonic clock of all, as far as `tick` moves it. */
  nowMs = 0;
  /** Tag of the next request. */
  nextTag = 1;

  constructor(options: ClusterOptions) {
    this.random = seededRandom(options.seed ?? 1);
    const joined = new Set(options.configuration.members.map((member) => member.nodeId as string));
    for (const name of options.nodes.split(' ')) {
      const terms = options.terms?.[name] ?? [];
      const isMember = joined.has(name.replace(/\d+$/, ''));
      const configuration = isMember
        ? options.configuration
        : { members: [], outgoingVoters: [], removed: [] };
      const init = initOf(name, configuration, {
        terms,
        ...(options.settings && { settings: options.settings }),
      });
      const entries = terms.map((term, position) => entry(position + 1, term));
      this.nodes.set(peer(name), new RaftNode(init, entries, this.random, this.#events()));
    }
  }

  node(name: string): RaftNode {
    const node = this.nodes.get(peer(name));
    assert(node !== undefined, `${name} must be a node`);
    return node;
  }

  get live(): readonly RaftNode[] {
    return [...this.nodes.values()].filter(({ isDown }) => !isDown);
  }

  /** Leaders, newest term first. */
  get leaders(): readonly RaftNode[] {
    return this.live
      .filter(({ view }) => view.role === 'leader')
      .sort((a, b) => b.view.term - a.view.term);
  }

  get leader(): RaftNode {
    const [leader] = this.leaders;
    assert(leader !== undefined, 'There must be a leader');
    return leader;
  }

  /** Lets time pass on all live nodes without delivering anything. */
  tick(elapsedMs = TICK_MS): void {
    this.nowMs += elapsedMs;
    for (const node of this.live) node.step({ kind: 'tick', elapsedMs, nowMs: this.nowMs });
  }

  /** Delivers until nothing is on its way. */
  deliver(): void {
    for (let count = 0; this.network.length > 0; count++) {
      assert(count < DELIVERIES_MAX, 'The network must come to rest');
      const message = this.network.shift();
      if (message) this.pass(message);
    }
  }

  /** Delivers or loses one message. */
  pass(message: RaftMessage): void {
    const node = this.nodes.get(message.to);
    if (!node || node.isDown || this.loses(message)) return;
    node.receive(message);
  }

  run(durationMs: number): void {
    for (let passed = 0; passed < durationMs; passed += TICK_MS) {
      this.tick();
      this.deliver();
    }
  }

  /** Runs until `condition` holds; fails after `limitMs` of cluster time. */
  runUntil(condition: () => boolean, limitMs = 20_000): void {
    for (let passed = 0; !condition(); passed += TICK_MS) {
      assert(passed < limitMs, `Condition must hold within ${limitMs} ms: ${condition.toString()}`);
      this.run(TICK_MS);
    }
  }

  /** Makes `name` leader by letting time pass for it alone, others still answering. */
  elect(name: string): RaftNode {
    const node = this.node(name);
    for (let passed = 0; node.view.role !== 'leader'; passed += TICK_MS) {
      assert(passed < 10_000, `${name} must win within 10 s`);
      for (const other of this.live) other.step({ kind: 'tick', elapsedMs: 0 });
      node.step({ kind: 'tick', elapsedMs: TICK_MS });
      this.deliver();
    }
    this.deliver();
    return node;
  }

  /** Cuts a node off from all others. */
  isolate(...names: string[]): void {
    const cut = new Set(names.map(peer));
    this.loses = ({ from, to }) => cut.has(from) || cut.has(to);
  }

  /** Splits the network: messages pass within a group only. */
  split(...groups: string[]): void {
    const groupOf = new Map<PeerId, number>();
    for (const [number, names] of groups.entries()) {
      for (const name of names.split(' ')) groupOf.set(peer(name), number);
    }
    this.loses = ({ from, to }) => groupOf.get(from) !== groupOf.get(to);
  }

  heal(): void {
    this.loses = () => false;
  }

  propose(node: RaftNode, ...texts: string[]): void {
    const proposals = texts.map((text) => ({ tag: this.nextTag++, payload: utf8(text) }));
    node.step({ kind: 'propose', proposals });
  }

  change(node: RaftNode, ...changes: MemberChange[]): Reply {
    return this.#ask(node, (tag) => ({ kind: 'changeMembers', tag, changes }));
  }

  /** Asks for a read index; the reply may come later: see `replyTo`. */
  read(node: RaftNode): number {
    const tag = this.nextTag++;
    node.step({ kind: 'read', tag });
    return tag;
  }

  /** The same, for one who knows what time it is. */
  readByLease(node: RaftNode): number {
    const tag = this.nextTag++;
    node.step({ kind: 'read', tag, nowMs: this.nowMs });
    return tag;
  }

  transfer(node: RaftNode, to: string | null): number {
    const tag = this.nextTag++;
    node.step({ kind: 'transfer', tag, to: to === null ? null : peer(to) });
    return tag;
  }

  replyTo(node: RaftNode, tag: number): Reply | undefined {
    return node.replies.find((reply) => reply.tag === tag);
  }

  /** Ends the oldest snapshot transfer that is held. */
  endSnapshot(ok = true): void {
    const transfer = this.snapshots.shift();
    assert(transfer !== undefined, 'A transfer must be under way');
    this.#transferSnapshot(transfer.from, transfer.to, ok);
  }

  #ask(node: RaftNode, input: (tag: number) => RaftInput): Reply {
    const tag = this.nextTag++;
    node.step(input(tag));
    const reply = this.replyTo(node, tag);
    assert(reply !== undefined, 'The reply must come at once');
    return reply;
  }

  #transferSnapshot(fromId: PeerId, toId: PeerId, reaches: boolean): void {
    const from = this.nodes.get(fromId);
    const to = this.nodes.get(toId);
    if (!from || from.isDown) return;
    const { base } = from.disk;
    const ok = reaches && to !== undefined && !to.isDown;
    if (ok) {
      to.arrived = { base, state: from.state.slice(0, base.index + 1) };
      const { term } = from.view;
      to.step({ kind: 'snapshotReceived', from: fromId, term, base });
    }
    const index = asIndex(ok ? base.index : 0);
    from.step({ kind: 'snapshotSent', to: toId, index, ok });
  }

  #events(): ConstructorParameters<typeof RaftNode>[3] {
    return {
      send: (message) => this.network.push(message),
      onOutput: (node, output) => this.onOutput(node, output),
      onReleased: (node, entries) => this.onReleased(node, entries),
      sendSnapshot: ({ id }, to) => {
        if (this.sendsSnapshotsAtOnce) this.#transferSnapshot(id, to, true);
        else this.snapshots.push({ from: id, to });
      },
    };
  }
}
