import { assert } from '../shared/index.ts';
import { hashOfNumbers, longHashOfText } from './item-hash.ts';
import type { Failure } from './outcome.ts';
import type { StoreLimits } from './types.ts';

/** A stored answer: `packed` success (see session-codec) or a failure. */
export type StoredResult = number | Failure;

/** What the state knows of one client. */
export interface Session {
  readonly id: string;
  /** Highest sequence that was carried out. */
  readonly highest: number;
  /** Orders sessions by their last use. */
  readonly lastUse: number;
  /** On the clock of sessions (`sessionClockMs`), which is no time of day. */
  readonly lastUsedMs: number;
  /** Of the window, by sequence, ascending. */
  readonly results: Map<number, StoredResult>;
}

interface Node {
  session: Session;
  bytes: number;
  hash: number;
  older: Node | null;
  newer: Node | null;
}

/** Stands for what a session and each of its results cost beside texts. */
const SESSION_BYTES = 128;
const RESULT_BYTES = 48;

/** Sessions in order of their last use, and the ids of the newest expired ones. */
export class SessionTable {
  readonly #limits: StoreLimits;
  readonly #nodes = new Map<string, Node>();
  #oldest: Node | null = null;
  #newest: Node | null = null;
  #bytes = 0;
  #digest = 0;
  /** Hashes of expired ids; the one numbered n rests at n modulo the limit. */
  #expiredRing: Float64Array | null = null;
  /**
   * How many numbers of the ring have a hash. Anybody can make two ids of one hash that expire both,
   * so it may be more than one: then all of them are kept, and the numbers stay without a gap.
   */
  readonly #expired = new Map<number, number>();
  #expiredCount = 0;
  #nextExpired = 1;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** As `sessionsBytesMax` counts them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sum of the hashes of all that is in here. */
  get digest(): number {
    return this.#digest;
  }

  get(id: string): Session | undefined {
    return this.#nodes.get(id)?.session;
  }

  /** The one that was not used for longest. */
  get oldest(): Session | null {
    return this.#oldest?.session ?? null;
  }

  /** Adds or replaces, as the one used last. `hash`: of its row. */
  set(session: Session, hash: number): void {
    this.remove(session.id);
    assert(
      this.#newest === null || this.#newest.session.lastUse < session.lastUse,
      'A session that is set is the one used last',
    );
    const older = this.#newest;
    const node: Node = { session, bytes: bytesOf(session), hash, older, newer: null };
    if (older === null) this.#oldest = node;
    else older.newer = node;
    this.#newest = node;
    this.#nodes.set(session.id, node);
    this.#count(node, 1);
  }

  remove(id: string): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.#nodes.delete(id);
    if (node.older === null) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === null) this.#newest = node.older;
    else node.newer.older = node.older;
    this.#count(node, -1);
  }

  isExpired(id: string): boolean {
    return this.#expiredCount > 0 && this.#expired.has(longHashOfText(id));
  }

  /** Number of the oldest expired id, 0 without any. */
  get oldestExpired(): number {
    return this.#expiredCount === 0 ? 0 : this.#nextExpired - this.#expiredCount;
  }

  get expiredCount(): number {
    return this.#expiredCount;
  }

  /** Remembers the hash of an expired id; above the limit `forgetOldestExpired` comes first. */
  expire(hash: number): number {
    assert(this.#expiredCount < this.#limits.expiredSessionsMax, 'Room for one more expired id');
    this.#expiredRing ??= new Float64Array(this.#limits.expiredSessionsMax);
    const number = this.#nextExpired++;
    this.#expiredRing[number % this.#expiredRing.length] = hash;
    this.#expired.set(hash, (this.#expired.get(hash) ?? 0) + 1);
    this.#expiredCount++;
    this.#digest = (this.#digest + hashOfNumbers(number, hash)) >>> 0;
    return number;
  }

  forgetOldestExpired(): void {
    const number = this.oldestExpired;
    assert(this.#expiredRing !== null && number > 0, 'There is an expired id');
    const hash = this.#expiredRing[number % this.#expiredRing.length] as number;
    const left = (this.#expired.get(hash) ?? 0) - 1;
    if (left > 0) this.#expired.set(hash, left);
    else this.#expired.delete(hash);
    this.#expiredCount--;
    this.#digest = (this.#digest - hashOfNumbers(number, hash)) >>> 0;
  }

  /** Takes an expired id of the engine; in the order of numbers. False: it cannot be there. */
  loadExpired(number: number, hash: number): boolean {
    if (this.#expiredCount === 0) this.#nextExpired = number;
    const isFull = this.#expiredCount >= this.#limits.expiredSessionsMax;
    if (isFull || number !== this.#nextExpired) return false;
    this.expire(hash);
    return true;
  }

  /** Replaces the order of loading by that of use. */
  finishLoad(): void {
    const nodes = [...this.#nodes.values()];
    nodes.sort((a, b) => a.session.lastUse - b.session.lastUse);
    for (const [i, node] of nodes.entries()) {
      node.older = nodes[i - 1] ?? null;
      node.newer = nodes[i + 1] ?? null;
    }
    this.#oldest = nodes[0] ?? null;
    this.#newest = nodes.at(-1) ?? null;
  }

  /** Takes a session of the engine; `finishLoad` puts them in order. */
  load(session: Session, hash: number): void {
    const node: Node = { session, bytes: bytesOf(session), hash, older: null, newer: null };
    this.#nodes.set(session.id, node);
    this.#count(node, 1);
  }

  #count({ bytes, hash }: Node, sign: 1 | -1): void {
    this.#bytes += sign * bytes;
    this.#digest = (this.#digest + sign * hash) >>> 0;
  }
}

function bytesOf({ id, results }: Session): number {
  let bytes = SESSION_BYTES + id.length + RESULT_BYTES * results.size;
  for (const result of results.values()) {
    if (typeof result !== 'number') bytes += result.message.length;
  }
  return bytes;
}
