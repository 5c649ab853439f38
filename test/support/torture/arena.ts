import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../../src/shared/index.ts';
import type { Link, Network } from './network.ts';
import type { Tally } from './tally.ts';
import type { TortureNode } from './torture-node.ts';

const askTimeoutMs = 1000;
const calmLookMs = 20;

export interface ArenaInit {
  readonly network: Network;
  readonly nodes: readonly TortureNode[];
  readonly tally: Tally;
  readonly signal: AbortSignal;
  /** A line of the diary of faults. */
  readonly note: (line: string) => void;
}

/** What the faults work with. */
export class Arena {
  readonly nodes: readonly TortureNode[];
  readonly tally: Tally;
  readonly #signal: AbortSignal;
  readonly #network: Network;
  readonly #note: (line: string) => void;
  #isCalm = false;
  #strikes = 0;

  constructor({ network, nodes, tally, signal, note }: ArenaInit) {
    this.#network = network;
    this.nodes = nodes;
    this.tally = tally;
    this.#signal = signal;
    this.#note = note;
  }

  /** The storm is over: no further fault. */
  isOver(): boolean {
    return this.#signal.aborted;
  }

  /** Waits while there shall be no faults. */
  async mayStrike(): Promise<void> {
    while (this.#isCalm && !this.isOver()) await this.rest(calmLookMs);
  }

  /** A fault that lasts until `repaired`. */
  strike(name: string, detail: string): void {
    this.#strikes++;
    this.fault(name, detail);
  }

  repaired(name: string): void {
    this.#strikes--;
    this.#note(`${name}: over`);
  }

  /** Lets no new fault begin, waits for those there are to end, and then for `body`. */
  async calm(body: () => Promise<void>): Promise<void> {
    this.#isCalm = true;
    try {
      while (this.#strikes > 0 && !this.isOver()) await this.rest(calmLookMs);
      if (!this.isOver()) await body();
    } finally {
      this.#isCalm = false;
    }
  }

  fault(name: string, detail: string): void {
    this.tally.fault(name);
    this.#note(`${name}: ${detail}`);
  }

  note(line: string): void {
    this.#note(line);
  }

  async cut(links: readonly Link[]): Promise<void> {
    await this.#network.cut(links);
  }

  /** Waits, at most until the end of the run. */
  async rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#signal }).catch(() => undefined);
  }

  /** Nodes that run and that no fault has for itself, in an order of chance. */
  free(random: Random): TortureNode[] {
    const found = this.nodes.filter(
      (node) => !node.isReserved && node.daemon.isRunning && !node.isPaused,
    );
    return shuffled(found, random);
  }

  /** The node that says of itself that it leads, or null. */
  async leader(): Promise<TortureNode | null> {
    for (const node of this.nodes) {
      const said = await askQuietly(node, '/leader');
      if (said === null) continue;
      const named = this.nodes.find(({ raft }) => raft === said.trim());
      if (named !== undefined) return named;
    }
    return null;
  }
}

/** The text of a 200; null for everything else. */
export async function askQuietly(
  node: TortureNode,
  path: string,
  timeoutMs = askTimeoutMs,
): Promise<string | null> {
  if (!node.daemon.isRunning) return null;
  try {
    const { status, text } = await node.daemon.ask(path, { timeoutMs });
    return status === 200 ? text : null;
  } catch {
    return null;
  }
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = random.intBelow(i + 1);
    const [a, b] = [mixed[i], mixed[j]];
    if (a === undefined || b === undefined) continue;
    [mixed[i], mixed[j]] = [b, a];
  }
  return mixed;
}

export function oneOf<T>(items: readonly T[], random: Random): T {
  const found = items[random.intBelow(items.length)];
  if (found === undefined) throw new Error('Cannot choose one of nothing');
  return found;
}

/** From `min` to `max` milliseconds. */
export const between = (min: number, max: number, random: Random): number =>
  min + random.intBelow(max - min + 1);
