import { expect } from 'chai';
import fc from 'fast-check';

import type { Random } from '../../../src/shared/index.ts';
import { asIndex, seededRandom } from '../../../src/shared/index.ts';
import { MemoryKvDisk, openStateEngine } from '../../../src/storage/index.ts';
import type { SpoolableEngine } from '../../../src/storage/index.ts';

const DIRECTORY = '/data/state-0';

/** Completes the operations of a disk in a random order, and not before it is asked to. */
class SlowDisk {
  readonly disk = new MemoryKvDisk({ complete: (_, finish) => this.#waiting.push(finish) });
  readonly #waiting: (() => void)[] = [];

  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Lets promises go on until nothing moves, `completions` operations later. */
  async step(completions: number): Promise<void> {
    for (let i = 0; i <= completions; i++) {
      await new Promise(setImmediate);
      if (i < completions) this.complete(this.#random.intBelow(this.#waiting.length));
    }
  }

  /** Completes one of the waiting operations; 0 is the oldest. */
  complete(position: number): void {
    const [finish] = this.#waiting.splice(position, 1);
    finish?.();
  }

  /** Completes operations until `action` is done. */
  async finish<T>(action: Promise<T>): Promise<T> {
    let isDone = false;
    const watched = action.finally(() => (isDone = true));
    watched.catch(() => undefined);
    while (!isDone) await this.step(1);
    return watched;
  }

  forget(): void {
    this.#waiting.length = 0;
  }
}

/** The rows as they must be at each applied index. */
class Model {
  readonly states: ReadonlyMap<string, number>[] = [new Map()];
  durable = 0;

  get index(): number {
    return this.states.length - 1;
  }

  apply(writes: readonly (readonly [string, number | null])[]): void {
    const state = new Map(this.states.at(-1));
    for (const [key, value] of writes) {
      if (value === null) state.delete(key);
      else state.set(key, value);
    }
    this.states.push(state);
  }

  /** Forgets what a crash took. */
  cut(index: number): void {
    this.states.length = index + 1;
    this.durable = index;
  }
}

const rowOf = (key: string): Uint8Array => Buffer.from(`\u0001${key}`);

class Life {
  readonly #slow: SlowDisk;
  readonly #model = new Model();
  readonly #random: Random;
  #engine: SpoolableEngine | null = null;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#slow = new SlowDisk(this.#random);
  }

  async run(steps: number): Promise<void> {
    await this.#open();
    for (let i = 0; i < steps; i++) await this.#step();
    await this.#crash();
  }

  async #step(): Promise<void> {
    const roll = this.#random.intBelow(24);
    if (roll < 10) this.#enqueue();
    else if (roll >= 20) this.#read();
    else if (roll < 12) this.#flush();
    else if (roll < 19) await this.#slow.step(1 + this.#random.intBelow(3));
    else await this.#crash();
    this.#checkVisible();
  }

  async #open(): Promise<void> {
    const engine = await this.#slow.finish(
      openStateEngine({
        kvFactory: this.#slow.disk.mount(),
        directory: DIRECTORY,
        settings: { batchBytes: 1500, cacheBytesMax: 3000 },
        onFailure: (error) => {
          throw error;
        },
      }),
    );
    this.#engine = engine;
    expect(engine.openedAtIndex).to.be.within(this.#model.durable, this.#model.index);
    this.#model.cut(engine.openedAtIndex);
    const rows = new Map<string, number>();
    const visit = (row: Uint8Array, value: Uint8Array): void => {
      rows.set(Buffer.from(row).toString().slice(1), value[0] ?? -1);
    };
    await this.#slow.finish(engine.load(visit, [{}]));
    expect(rows).to.deep.equal(this.#model.states.at(-1));
  }

  #enqueue(): void {
    const count = this.#random.intBelow(4);
    const writes = Array.from({ length: count }, () => {
      const key = `k${this.#random.intBelow(6)}`;
      const value = this.#random.intBelow(4) === 0 ? null : this.#random.intBelow(256);
      return [key, value] as const;
    });
    this.#model.apply(writes);
    this.#engine?.enqueue(
      asIndex(this.#model.index),
      writes.map(([key, value]) => ({
        row: rowOf(key),
        value: value === null ? null : new Uint8Array(1 + this.#random.intBelow(200)).fill(value),
      })),
    );
  }

  #flush(): void {
    const wanted = this.#model.index;
    const model = this.#model;
    void this.#engine?.flush().then((index) => {
      expect(index).to.be.at.least(wanted);
      model.durable = Math.max(model.durable, index);
    });
  }

  /** A read answers with the state at its call, or a later one. */
  #read(): void {
    const key = `k${this.#random.intBelow(6)}`;
    const model = this.#model;
    const called = model.index;
    void this.#engine?.read(rowOf(key)).then((value) => {
      const possible = model.states.slice(called).map((state) => state.get(key) ?? null);
      expect(possible).to.include(value && value[0]);
    });
  }

  async #crash(): Promise<void> {
    const { disk } = this.#slow;
    const isPowerCut = this.#random.intBelow(2) === 0;
    if (this.#engine)
      this.#model.durable = Math.max(this.#model.durable, this.#engine.durableIndex);
    if (isPowerCut) disk.crash(this.#random);
    else disk.kill(this.#random);
    this.#slow.forget();
    await this.#open();
  }

  #checkVisible(): void {
    const state = this.#model.states.at(-1);
    for (let i = 0; i < 6; i++) {
      const seen = this.#engine?.peek(rowOf(`k${i}`));
      if (seen === undefined) continue;
      expect(seen && seen[0]).to.equal(state?.get(`k${i}`) ?? null);
    }
  }
}

describe('StateEngine after crashes', () => {
  it('openStateEngine() finds the state of one applied index, none below the durable one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), (seed) => new Life(seed).run(60)),
      { numRuns: 100, seed: 7 },
    );
  });

  it('read() never brings an older value back into memory', async () => {
    const slow = new SlowDisk(seededRandom(1));
    const engine = await slow.finish(
      openStateEngine({
        kvFactory: slow.disk.mount(),
        directory: DIRECTORY,
        onFailure: () => undefined,
        settings: { cacheBytesMax: 2400 },
      }),
    );
    const write = (index: number, value: number): void =>
      engine.enqueue(asIndex(index), [
        { row: rowOf('k'), value: Uint8Array.of(value), isValue: true },
      ]);
    const evict = (index: number): void =>
      engine.enqueue(asIndex(index), [
        { row: rowOf(`big${index}`), value: new Uint8Array(850), isValue: true },
      ]);
    write(1, 1);
    evict(2);
    evict(3);
    await slow.finish(engine.flush());
    expect(engine.peek(rowOf('k'))).to.equal(undefined);
    const reading = engine.read(rowOf('k'));
    write(4, 2);
    await slow.step(0);
    slow.complete(1); // The write is done before the read answers.
    await slow.step(0);
    await slow.finish(reading);
    expect((await reading)?.[0]).to.equal(1);
    expect(engine.peek(rowOf('k'))?.[0]).to.equal(2);
  });

  it('onFailure hears of the first failed write once, and everything fails after it', async () => {
    let isBroken = false;
    const disk = new MemoryKvDisk({ fault: () => (isBroken ? 'failsLate' : null) });
    const failures: Error[] = [];
    const engine = await openStateEngine({
      kvFactory: disk.mount(),
      directory: DIRECTORY,
      onFailure: (error) => failures.push(error),
      settings: { backlogBytesMax: 100 },
    });
    isBroken = true;
    engine.enqueue(asIndex(1), [{ row: rowOf('k'), value: new Uint8Array(50) }]);
    const outcomes = await Promise.allSettled([engine.drained(), engine.flush()]);
    isBroken = false;
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(failures.length).to.equal(1);
    expect(() => engine.enqueue(asIndex(2), [])).to.throw('the disk failed');
    for (const action of [engine.flush(), engine.read(rowOf('k')), engine.drained()]) {
      expect(await action.catch((error: unknown) => error)).to.equal(failures[0]);
    }
    expect(engine.durableIndex).to.equal(0);
    await engine.close();
    expect(failures.length).to.equal(1);
  });
});
