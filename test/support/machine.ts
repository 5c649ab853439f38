import { seededRandom } from '../../src/shared/index.ts';
import { MemoryDisk, MemoryKvDisk } from '../../src/storage/index.ts';
import type { Files, KvFactory } from '../../src/storage/index.ts';

/** Two disks of one machine; the power goes when `operationsLeft` is used up. */
export class Machine {
  operationsLeft = Number.POSITIVE_INFINITY;
  #onOut: () => void = () => undefined;
  readonly #complete = (_: unknown, finish: () => void): void => {
    if (this.operationsLeft-- > 0) queueMicrotask(finish);
    else this.#onOut();
  };
  readonly #files = new MemoryDisk({ complete: this.#complete });
  readonly #databases = new MemoryKvDisk({ complete: this.#complete });
  files: Files = this.#files.mount();
  kvFactory: KvFactory = this.#databases.mount();

  /** Runs `action` until it is done (true) or the power is out (false). */
  run(operations: number, action: () => Promise<unknown>): Promise<boolean> {
    this.operationsLeft = operations;
    return new Promise((resolve, reject) => {
      this.#onOut = () => resolve(false);
      action().then(() => resolve(true), reject);
    });
  }

  restart(seed: number): void {
    const random = seededRandom(seed);
    this.operationsLeft = Number.POSITIVE_INFINITY;
    this.#files.crash(random);
    this.#databases.crash(random);
    this.files = this.#files.mount();
    this.kvFactory = this.#databases.mount();
  }
}
