/** Runs asynchronous work one after the other, in order of arrival. */
export class Lane {
  #tail: Promise<void> | null = null;

  /** Begins at once when the lane is free. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail === null ? work() : this.#tail.then(work);
    const tail = result.then(nothing, nothing).then(() => {
      if (this.#tail === tail) this.#tail = null;
    });
    this.#tail = tail;
    return result;
  }
}

const nothing = (): void => undefined;
