import type { NodeId, Random } from '../shared/index.ts';

/**
 * Shuffled round robin (SWIM, 4.3): every member is probed within two rounds, newcomers enter at a
 * random place. The order may name members that are gone: the caller skips them.
 */
export class ProbeOrder {
  readonly #random: Random;
  #order: NodeId[] = [];
  #position = 0;
  /** Suspected by others: looked at next. */
  readonly #urgent = new Set<NodeId>();

  constructor(random: Random) {
    this.#random = random;
  }

  add(nodeId: NodeId): void {
    this.#order.splice(this.#random.intBelow(this.#order.length + 1), 0, nodeId);
  }

  remove(nodeId: NodeId): void {
    this.#order = this.#order.filter((other) => other !== nodeId);
    this.#urgent.delete(nodeId);
  }

  urge(nodeId: NodeId): void {
    this.#urgent.add(nodeId);
  }

  /** The next name that is accepted, or undefined when none is. */
  next(isAccepted: (nodeId: NodeId) => boolean): NodeId | undefined {
    for (const nodeId of this.#urgent) {
      this.#urgent.delete(nodeId);
      if (isAccepted(nodeId)) return nodeId;
    }
    for (let looked = 0; looked < this.#order.length; looked++) {
      if (this.#position >= this.#order.length) this.#shuffle();
      const nodeId = this.#order[this.#position++];
      if (nodeId !== undefined && isAccepted(nodeId)) return nodeId;
    }
    return undefined;
  }

  #shuffle(): void {
    this.#position = 0;
    const order = this.#order;
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.#random.intBelow(last + 1);
      const moved = order[last] as NodeId;
      order[last] = order[other] as NodeId;
      order[other] = moved;
    }
  }
}
