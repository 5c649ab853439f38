import type { Cancel, Clock } from '../../../src/shared/index.ts';
import type { World } from './world.ts';

export interface LifeInit {
  readonly world: World;
  /** What this machine's wall clock is wrong by. */
  readonly wallOffsetMs: () => number;
  /** How fast this machine's monotonic clock goes; 1: as true time does. */
  readonly clockRate: number;
  /** Something happened to this process: look at it after the event. */
  readonly touch: () => void;
}

/**
 * One run of a node's process. All that comes to it passes through here, so it can be stopped for
 * a while (SIGSTOP, a long garbage collection) or for good.
 */
export class Life {
  readonly clock: Clock;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly #init: LifeInit;
  #end: () => void = () => undefined;
  #isOver = false;
  /** What came while the process stood still; null while it runs. */
  #held: (() => void)[] | null = null;

  constructor(init: LifeInit) {
    this.#init = init;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    const { world, wallOffsetMs, clockRate } = init;
    const bornMs = world.nowMs;
    this.clock = {
      monotonicMs: () => 1000 + (world.nowMs - bornMs) * clockRate,
      wallMs: () => world.clock.wallMs() + wallOffsetMs(),
      after: (delayMs, run) => this.#after(delayMs / clockRate, run),
      afterPendingInput: (run) => void this.#after(0, run),
    };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isPaused(): boolean {
    return this.#held !== null;
  }

  /**
   * Runs `run` in the process: now, when it goes on, or never. `isFirst`: before what came earlier,
   * as when a process looks at its sockets in another order.
   */
  pass(run: () => void, isFirst = false): void {
    if (this.#isOver) return;
    if (this.#held !== null) {
      if (isFirst) this.#held.unshift(run);
      else this.#held.push(run);
      return;
    }
    this.#init.touch();
    run();
  }

  pause(): void {
    this.#held ??= [];
  }

  /** What was held happens now, in the order in which it came. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const run of held) this.#init.world.after(0, () => this.pass(run));
  }

  end(): void {
    this.#isOver = true;
    this.#held = null;
    this.#end();
  }

  #after(delayMs: number, run: () => void): Cancel {
    let isCancelled = false;
    const cancel = this.#init.world.after(delayMs, () =>
      this.pass(() => {
        if (!isCancelled) run();
      }),
    );
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}
