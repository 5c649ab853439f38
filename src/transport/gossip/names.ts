import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { performance } from 'node:perf_hooks';

/** A found address is used for so long before it is looked up again. */
const FRESH_MS = 30_000;
/** A name that was not found is not looked up again before. */
const FAILED_MS = 5_000;
/** Above it the oldest name is forgotten. */
const NAMES_MAX = 1_024;
/** Waiters of one name; further ones are turned away. */
const WAITERS_MAX = 16;

interface Name {
  /** '' until it was found once. */
  ip: string;
  staleAtMs: number;
  waiters: ((ip: string | null) => void)[];
  isQueued: boolean;
}

/** Looks up a host name; replaceable in tests. */
export type Lookup = (host: string) => Promise<string>;

const systemLookup: Lookup = async (host) => (await lookup(host)).address;

/**
 * Host names to addresses. Literal addresses never touch DNS. One lookup runs at a time, because a
 * hanging one holds a thread that the disk needs too. A stale address serves until a newer one is
 * found, so that an outage of DNS breaks nothing that worked.
 */
export class Names {
  readonly #lookup: Lookup;
  readonly #names = new Map<string, Name>();
  readonly #queue: string[] = [];
  #isLooking = false;

  constructor(run: Lookup = systemLookup) {
    this.#lookup = run;
  }

  /** Calls back at once when the address is known; null when there is none. */
  resolve(host: string, done: (ip: string | null) => void): void {
    if (isIP(host) !== 0) {
      done(host);
      return;
    }
    const name = this.#nameOf(host);
    const isStale = performance.now() >= name.staleAtMs;
    if (isStale) this.#enqueue(host, name);
    if (name.ip !== '') done(name.ip);
    else if (!name.isQueued || name.waiters.length >= WAITERS_MAX) done(null);
    else name.waiters.push(done);
  }

  #nameOf(host: string): Name {
    const known = this.#names.get(host);
    if (known) return known;
    const oldest = this.#names.keys().next();
    if (this.#names.size >= NAMES_MAX && !oldest.done) this.#forget(oldest.value);
    const name: Name = { ip: '', staleAtMs: 0, waiters: [], isQueued: false };
    this.#names.set(host, name);
    return name;
  }

  #forget(host: string): void {
    const name = this.#names.get(host);
    this.#names.delete(host);
    for (const done of name?.waiters ?? []) done(null);
  }

  #enqueue(host: string, name: Name): void {
    if (name.isQueued) return;
    name.isQueued = true;
    this.#queue.push(host);
    if (!this.#isLooking) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isLooking = true;
    for (let host = this.#queue.shift(); host !== undefined; host = this.#queue.shift())
      await this.#refresh(host);
    this.#isLooking = false;
  }

  async #refresh(host: string): Promise<void> {
    const ip = await this.#lookup(host).catch(() => null);
    const name = this.#names.get(host);
    if (!name) return;
    name.ip = ip ?? name.ip;
    name.staleAtMs = performance.now() + (ip === null ? FAILED_MS : FRESH_MS);
    name.isQueued = false;
    const waiters = name.waiters.splice(0);
    for (const done of waiters) done(name.ip === '' ? null : name.ip);
  }
}
