import type { RaftMessage, RaftOutput } from '../../../src/raft/index.ts';
import { assert, InvariantError } from '../../../src/shared/index.ts';
import { RaftCluster } from '../raft-cluster.ts';
import type { ClusterOptions } from '../raft-cluster.ts';
import type { RaftNode } from '../raft-node.ts';
import type { Filter } from './filter.ts';
import { effectsOf, nameOf, sayingOf } from './words.ts';

const DELIVERIES_MAX = 5_000;

/** A cluster on which a transcript's commands act, and what it says of them. */
export class Stage {
  readonly cluster: RaftCluster;
  /** Lines of the command under way. */
  lines: string[] = [];
  /** Messages held back, oldest first. */
  held: RaftMessage[] = [];
  holds: Filter[] = [];
  losses: Filter[] = [];
  /** Only who leads, replies, configurations and snapshots are told. */
  isBrief = false;
  readonly #requests = new Map<number, number>();
  #indent = '';

  constructor(options: ClusterOptions) {
    this.cluster = new RaftCluster(options);
    this.cluster.onOutput = (node, output) => this.#tell(node, output);
    this.cluster.loses = (message) => this.#takeAway(message);
  }

  say(line: string): void {
    this.lines.push(`${this.#indent}${line}`);
  }

  node(name: string | undefined): RaftNode {
    assert(name !== undefined, 'A command must name its node');
    return this.cluster.node(name);
  }

  sayingOf(message: RaftMessage): string {
    return sayingOf(message, this.#requests);
  }

  /** Delivers what matches and what follows from it, until nothing on its way matches. */
  deliver(filter: Filter): void {
    for (let count = 0; ; count++) {
      assert(count < DELIVERIES_MAX, 'Messages must come to rest');
      const position = this.cluster.network.findIndex(filter);
      const [message] = position < 0 ? [] : this.cluster.network.splice(position, 1);
      if (!message) return;
      this.#pass(message);
    }
  }

  /** Delivers what is on its way now and matches, not what follows from it. */
  deliverOnce(filter: Filter): void {
    for (const message of this.take(filter)) this.#pass(message);
  }

  /** Takes messages off the network. */
  take(filter: Filter): readonly RaftMessage[] {
    const { network } = this.cluster;
    this.cluster.network = network.filter((message) => !filter(message));
    return network.filter(filter);
  }

  /** Does something to a node; when an invariant breaks, the node stops, as the process would. */
  act(node: RaftNode, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.say(`${nameOf(node.id)} stops: ${error.message}`);
      node.crash();
    }
  }

  /** Without details: what many messages came to. */
  briefly(action: () => void): void {
    this.isBrief = true;
    action();
    this.isBrief = false;
  }

  #pass(message: RaftMessage): void {
    const way = `${nameOf(message.from)} -> ${nameOf(message.to)}`;
    const node = this.cluster.nodes.get(message.to);
    const isHeld = this.holds.some((holds) => holds(message));
    const isLost = !node || node.isDown || this.losses.some((loses) => loses(message));
    const fate = isHeld ? ' (held)' : isLost ? ' (lost)' : '';
    this.say(`${way}  ${this.sayingOf(message)}${fate}`);
    this.#indent = '  ';
    if (node) this.act(node, () => this.cluster.pass(message));
    this.#indent = '';
  }

  #takeAway(message: RaftMessage): boolean {
    if (this.holds.some((holds) => holds(message))) {
      this.held.push(message);
      return true;
    }
    return this.losses.some((loses) => loses(message));
  }

  #tell(node: RaftNode, output: RaftOutput): void {
    for (const line of effectsOf(nameOf(node.id), output, this.isBrief)) this.say(line);
  }
}
