import type { Cancel, Clock, Random } from '../../../src/shared/index.ts';
import { seededRandom } from '../../../src/shared/index.ts';
import { Agenda } from '../agenda.ts';
import { Trace } from './trace.ts';

/** More than this in one millisecond means that time does not go on. */
const EVENTS_PER_MS_MAX = 20_000;
/** Unix time at which every simulation begins. */
const EPOCH_MS = 1_700_000_000_000;

/** What must always hold did not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/**
 * One run of virtual time: events happen one after the other, in the order of their times, and
 * everything that follows from one has settled before the next.
 */
export class World {
  readonly trace = new Trace();
  readonly random: Random;
  /** Runs after each event, when all its promises have settled. */
  afterEvent: () => void = () => undefined;
  /** Things go wrong; afterwards nothing is slower than it must be. */
  isStormy = true;
  readonly #agenda = new Agenda();
  #nowMs = 0;
  #eventCount = 0;
  #sinceMs = { atMs: 0, count: 0 };
  /** The event under way was cancelled before. */
  #isIdle = true;
  #failure: Error | null = null;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get eventCount(): number {
    return this.#eventCount;
  }

  /** Time of the network itself, which no crash stops. */
  readonly clock: Clock = {
    monotonicMs: () => this.#nowMs,
    wallMs: () => EPOCH_MS + this.#nowMs,
    after: (delayMs, run) => this.after(delayMs, run),
    afterPendingInput: (run) => void this.after(0, run),
  };

  /** A source of its own, so that what one part draws does not shift what another gets. */
  fork(): Random {
    return seededRandom(this.random.intBelow(2 ** 31));
  }

  after(delayMs: number, run: () => void): Cancel {
    let isCancelled = false;
    this.#agenda.add(this.#nowMs + Math.max(0, delayMs), () => {
      if (isCancelled) return;
      this.#isIdle = false;
      run();
    });
    return () => (isCancelled = true);
  }

  note(text: string): void {
    this.trace.note(`${this.#nowMs.toFixed(0).padStart(6)} ${text}`);
  }

  /** Ends the run; the first failure counts. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }

  violate(message: string): void {
    this.note(`VIOLATION ${message}`);
    this.fail(new Violation(message));
  }

  /** Lets events happen until `done`, for `forMs` at most. Returns whether it is done. */
  async run(forMs: number, done: () => boolean = never): Promise<boolean> {
    const untilMs = this.#nowMs + forMs;
    while (!done()) {
      const next = this.#agenda.take(untilMs);
      if (next === undefined) {
        this.#nowMs = untilMs;
        return done();
      }
      this.#advanceTo(next.atMs);
      this.#isIdle = true;
      next.run();
      await this.#settle();
    }
    return true;
  }

  #advanceTo(atMs: number): void {
    this.#nowMs = atMs;
    if (atMs !== this.#sinceMs.atMs) this.#sinceMs = { atMs, count: 0 };
    if (++this.#sinceMs.count > EVENTS_PER_MS_MAX) this.violate('time stands still');
  }

  /** All promises that the event set off run before a macrotask does. */
  async #settle(): Promise<void> {
    if (this.#isIdle) return;
    this.#eventCount++;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.afterEvent();
    if (this.#failure !== null) throw this.#failure;
  }
}

const never = (): boolean => false;

/** True in `perMille` of 1000 draws. */
export const happens = (random: Random, perMille: number): boolean =>
  perMille > 0 && random.intBelow(1000) < perMille;

/** One of them; undefined when there is none. */
export const anyOf = <T>(random: Random, items: readonly T[]): T | undefined =>
  items[random.intBelow(Math.max(1, items.length))];

/** Uniform in [min, max]. */
export const between = (random: Random, min: number, max: number): number =>
  min + random.intBelow(max - min + 1);
