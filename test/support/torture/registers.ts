import type { Random } from '../../../src/shared/index.ts';
import { checkHistory } from '../linearizability/index.ts';
import type { HistoryOperation, KeyRequest } from '../linearizability/index.ts';

export interface RegistersInit {
  /** Keys in use at a time. */
  readonly keyCount: number;
  /** Then the key is left for a new one: what has to be searched through stays small. */
  readonly requestsPerKey: number;
  /** Further keys that were left are deleted: every node watches each key that is there. */
  readonly leftKeysMax: number;
}

export interface Recorded {
  readonly name: string;
  readonly invokedAt: number;
  /** null: nobody knows what became of it. */
  readonly returnedAt: number | null;
  readonly request: KeyRequest;
}

/** The life of one key: what was asked of it, until no more is and a last read has said what it holds. */
class Register {
  readonly key: string;
  history: HistoryOperation[] = [];
  askedCount = 0;
  pendingCount = 0;

  constructor(key: string) {
    this.key = key;
  }

  add(recorded: Recorded): void {
    this.history.push({ key: this.key, ...recorded });
  }
}

/**
 * The histories of all keys that clients use. Each key is checked as soon as no more is asked of it,
 * and again at the end with what the nodes hold then: so a lost acknowledged write is seen, late or not.
 */
export class Registers {
  readonly #init: RegistersInit;
  readonly #used: Register[];
  /** Left; the last read is still to be made. */
  readonly #left: Register[] = [];
  readonly #closed = new Map<string, Register>();
  /** Closed and checked, not deleted yet; oldest first. */
  readonly #kept: string[] = [];
  #made = 0;
  #checkedOperationCount = 0;

  constructor(init: RegistersInit) {
    this.#init = init;
    this.#used = Array.from({ length: init.keyCount }, () => this.#make());
  }

  /** Requests whose answers were checked. */
  get checkedOperationCount(): number {
    return this.#checkedOperationCount;
  }

  get keyCount(): number {
    return this.#made;
  }

  /** A key for one request, which `record` or `forget` must end. */
  take(random: Random): string {
    const register = this.#used[random.intBelow(this.#used.length)];
    if (register === undefined) throw new Error('Cannot take a key: there is none');
    register.pendingCount++;
    register.askedCount++;
    if (register.askedCount >= this.#init.requestsPerKey) this.#leave(register);
    return register.key;
  }

  record(key: string, recorded: Recorded): void {
    const register = this.#find(key);
    register.pendingCount--;
    register.add(recorded);
  }

  /** It had surely no effect, or it was a read without an answer. */
  forget(key: string): void {
    this.#find(key).pendingCount--;
  }

  /** A key of which no more is asked and that waits for its last read, or null. `record` ends that. */
  takeLeft(): string | null {
    const place = this.#left.findIndex(({ pendingCount }) => pendingCount === 0);
    const [register] = place < 0 ? [] : this.#left.splice(place, 1);
    if (register === undefined) return null;
    register.pendingCount++;
    this.#closed.set(register.key, register);
    return register.key;
  }

  /** After the last read of `key` was recorded: throws unless its history is linearizable. */
  check(key: string): void {
    const register = this.#find(key);
    this.#demandOrder(register.history);
    this.#checkedOperationCount += register.history.length;
    this.#shorten(register);
    this.#kept.push(key);
  }

  /** A key to be deleted, or null. `record` ends that, or `keep` when it was not deleted for sure. */
  takeOld(): string | null {
    const key = this.#kept.length > this.#init.leftKeysMax ? this.#kept.shift() : undefined;
    if (key === undefined) return null;
    this.#find(key).pendingCount++;
    return key;
  }

  /** It is there still, or may be: its turn comes again. */
  keep(key: string): void {
    this.#kept.push(key);
  }

  /**
   * `held`: what all nodes hold when nothing happens any more, by key. Throws unless every key's
   * history is linearizable with that as the last answer.
   */
  checkAtEnd(held: ReadonlyMap<string, string>, at: number): void {
    for (const register of [...this.#used, ...this.#left]) {
      this.#checkedOperationCount += register.history.length;
    }
    for (const register of this.#all()) {
      const request: KeyRequest = { kind: 'get', value: held.get(register.key) ?? null };
      register.add({ name: 'last read', invokedAt: at, returnedAt: at, request });
      this.#demandOrder(register.history);
    }
  }

  /** For a person: everything that was asked of the key. */
  historyOf(key: string): readonly HistoryOperation[] {
    return this.#find(key).history;
  }

  /** What the last read found stands for all before it, if nothing before it may still come. */
  #shorten(register: Register): void {
    const last = register.history.at(-1);
    if (last?.request.kind !== 'get')
      throw new Error(`Cannot shorten ${register.key}: no last read`);
    if (register.history.some(({ returnedAt }) => returnedAt === null)) return;
    const { value } = last.request;
    const request: KeyRequest = value === null ? { kind: 'delete' } : { kind: 'put', value };
    register.history = [{ ...last, name: 'all before', request }];
  }

  #demandOrder(history: readonly HistoryOperation[]): void {
    const verdict = checkHistory(history);
    if (!verdict.ok) {
      throw new NotLinearizable(verdict.key ?? '', verdict.reason ?? 'undecided');
    }
  }

  #leave(register: Register): void {
    this.#used[this.#used.indexOf(register)] = this.#make();
    this.#left.push(register);
  }

  #make(): Register {
    this.#made++;
    return new Register(`register/${this.#made}`);
  }

  #find(key: string): Register {
    const found =
      this.#closed.get(key) ?? [...this.#used, ...this.#left].find((one) => one.key === key);
    if (found === undefined) throw new Error(`Cannot find ${key}: it was never made`);
    return found;
  }

  #all(): Register[] {
    return [...this.#used, ...this.#left, ...this.#closed.values()];
  }
}

/** Answers that no order of the requests explains. */
export class NotLinearizable extends Error {
  readonly key: string;

  constructor(key: string, reason: string) {
    super(`The answers for ${key} fit no order: ${reason}`);
    this.key = key;
  }
}
