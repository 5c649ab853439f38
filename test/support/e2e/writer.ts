import { setTimeout as delay } from 'node:timers/promises';
import type { Daemon } from './daemon.ts';
import { waitFor } from './wait-for.ts';

const attemptTimeoutMs = 15_000;
/** Steady, not as fast as it goes: the nodes share this machine with the tests. */
const pauseMs = 10;

/** Writes key after key through one node and remembers what was acknowledged. */
export class Writer {
  readonly #prefix: string;
  readonly node: Daemon;
  readonly acknowledged = new Map<string, string>();
  #stopped = false;
  #done: Promise<void> = Promise.resolve();

  constructor(prefix: string, node: Daemon) {
    this.#prefix = prefix;
    this.node = node;
  }

  start(): this {
    this.#done = this.#run();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  /** Waits for so many further acknowledgements. */
  async progresses(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count;
    await waitFor(`${count} more writes are acknowledged`, () => this.acknowledged.size >= wanted);
  }

  /** What is not there, or is something else, among what was acknowledged. */
  async missingOn(node: Daemon): Promise<string[]> {
    await node.get('barrier');
    const state = await node.json<Record<string, string>>('/status');
    const missing: string[] = [];
    for (const [key, value] of this.acknowledged) if (state[key] !== value) missing.push(key);
    return missing;
  }

  async #run(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const key = `${this.#prefix}/${n}`;
      if (await this.#write(key, `value ${n}`)) this.acknowledged.set(key, `value ${n}`);
      await delay(pauseMs);
    }
  }

  /** Refused, unknown and cut off are all the same here: not acknowledged. */
  async #write(key: string, value: string): Promise<boolean> {
    const path = `/set?${new URLSearchParams({ key, value }).toString()}`;
    try {
      const { status } = await this.node.ask(path, { timeoutMs: attemptTimeoutMs });
      return status === 200;
    } catch {
      return false;
    }
  }
}
