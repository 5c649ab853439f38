export interface Happening {
  readonly atMs: number;
  /** Breaks ties in the order of being added, so that a run can be repeated. */
  readonly order: number;
  readonly run: () => void;
}

/** What is to happen in virtual time: a binary heap by (atMs, order). */
export class Agenda {
  readonly #heap: Happening[] = [];
  #order = 0;

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const added = { atMs, order: ++this.#order, run };
    let index = heap.push(added) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent] as Happening, added)) break;
      heap[index] = heap[parent] as Happening;
      index = parent;
    }
    heap[index] = added;
  }

  /** Removes and returns the first one, when it is due by `untilMs`. */
  take(untilMs: number): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (!first || first.atMs > untilMs) return undefined;
    const last = heap.pop() as Happening;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(last: Happening): void {
    const heap = this.#heap;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Happening)) child++;
      if (isBefore(last, heap[child] as Happening)) break;
      heap[index] = heap[child] as Happening;
      index = child;
    }
    heap[index] = last;
  }
}

const isBefore = (a: Happening, b: Happening): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
