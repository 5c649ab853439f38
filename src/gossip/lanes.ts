import { Lane } from './lane.ts';

/** Of a packet's room: what either lane can count on when both have more than fits. */
const RESERVED_SHARE = 0.4;

/** What waits to be gossiped: membership and health share each packet, so neither starves. */
export class Lanes {
  readonly membership = new Lane();
  readonly health = new Lane();

  get size(): number {
    return this.membership.size + this.health.size;
  }

  clear(): void {
    this.membership.clear();
    this.health.clear();
  }

  /** Items for one packet with room for `bytesMax`. */
  take(bytesMax: number, transmitsMax: number): Uint8Array[] {
    const reserved = Math.min(this.health.bytes, Math.floor(bytesMax * RESERVED_SHARE));
    const members = this.membership.take(bytesMax - reserved, transmitsMax);
    const left = bytesMax - lengthOf(members);
    return [...members, ...this.health.take(left, transmitsMax)];
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}
