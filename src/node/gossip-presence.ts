import type { GossipDriver } from './gossip-driver.ts';

/** What people asked of this node's gossip: to leave, or to join at some addresses. */
export class GossipPresence {
  readonly #gossip: Pick<GossipDriver, 'leave' | 'rejoin' | 'join'>;
  /** Addresses asked to join at which somebody answered; bounded like what people type. */
  readonly #answered = new Set<string>();
  #hasLeft = false;

  constructor(gossip: Pick<GossipDriver, 'leave' | 'rejoin' | 'join'>) {
    this.#gossip = gossip;
  }

  /** Left by hand, and not joined since: this node abstains. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  leave(): void {
    this.#hasLeft = true;
    this.#gossip.leave();
  }

  join(addresses: readonly string[]): void {
    this.#hasLeft = false;
    for (const address of addresses) this.#answered.delete(address);
    this.#gossip.rejoin();
    this.#gossip.join(addresses);
  }

  /** Somebody answered there since the last `join`. */
  answers(address: string): boolean {
    return this.#answered.has(address);
  }

  onAnswer(address: string): void {
    this.#answered.add(address);
  }
}
