import type { Random } from '../../../src/shared/index.ts';
import type { Client } from './client.ts';
import { addFault } from './counts.ts';
import type { Fault } from './profile.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

const vainLatencyMs = 1_000;
/** Apart enough for entries of their own; a leader that hears nobody soon takes none any more. */
const vainGapMs = 3;

/** Something to wait for. */
interface Watch {
  readonly isSo: () => boolean;
  readonly everyMs: number;
  readonly withinMs: number;
}

/** What disturbances work with. */
export class Scene {
  readonly cluster: SimCluster;
  readonly clients: readonly Client[];
  readonly random: Random;
  /** The disturbing is over. */
  isOver = false;

  constructor(cluster: SimCluster, clients: readonly Client[]) {
    this.cluster = cluster;
    this.clients = clients;
    this.random = cluster.world.fork();
  }

  count(fault: Fault): void {
    addFault(this.cluster.faults, fault);
  }

  note(text: string): void {
    this.cluster.world.note(text);
  }

  anyNode(): SimNode | undefined {
    return anyOf(this.random, this.cluster.nodes);
  }

  /** The leader more often than the others. */
  importantNode(): SimNode | undefined {
    const { leader } = this.cluster;
    return leader !== undefined && this.random.intBelow(2) === 0 ? leader : this.anyNode();
  }

  /** Up, and not standing still. */
  responsiveNode(): SimNode | undefined {
    return this.cluster.anyNode((node) => node.isResponsive);
  }

  /** Undone after at most `withinMs`, also when the disturbing is over by then. */
  later(withinMs: number, run: () => void): void {
    this.cluster.world.after(between(this.random, 1, withinMs), run);
  }

  /** As `later`, unless the disturbing is over by then. */
  laterIfNotOver(withinMs: number, run: () => void): void {
    this.later(withinMs, () => {
      if (!this.isOver) run();
    });
  }

  /** As soon as it is so, looking again and again; never when that takes too long, or once it is over. */
  when({ isSo, everyMs, withinMs }: Watch, run: () => void): void {
    if (this.isOver || withinMs <= 0) return;
    if (isSo()) run();
    else {
      const rest = { isSo, everyMs, withinMs: withinMs - everyMs };
      this.cluster.world.after(everyMs, () => this.when(rest, run));
    }
  }

  /**
   * What a node that is cut off now takes in, others may have to cut off its log later; sometimes a
   * lot of it, and sometimes while its disk is still busy with it.
   */
  writeInVain(node: SimNode): void {
    for (const client of this.clients) void client.writeSomething(node);
    if (happens(this.random, 200)) {
      node.disk.latencyMsMax = vainLatencyMs;
      this.later(2 * vainLatencyMs, () => (node.disk.latencyMsMax = 2));
      if (happens(this.random, 400)) {
        node.crashAtStep(between(this.random, 2, 5), () => {
          this.count('crashAtStep');
          node.crash(false);
        });
      }
    }
    if (happens(this.random, 200)) this.writeMuchInVain(node);
  }

  writeMuchInVain(node: SimNode, countMin = 10): void {
    const client = anyOf(this.random, this.clients);
    for (let i = between(this.random, countMin, 120); i > 0; i--) {
      this.cluster.world.after(i * vainGapMs, () => void client?.writeAside(node));
    }
  }
}
