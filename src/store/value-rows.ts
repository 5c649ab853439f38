import { binaryOf } from './binary.ts';
import type { BinaryKey } from './binary.ts';
import { tables } from './rows.ts';
import type { KeyRecord, StoreView } from './types.ts';

/** The value rows of an engine by name: loading skips them, so only a walk over all rows can compare. */
export class ValueRows {
  readonly #names = new Set<BinaryKey>();

  /** Takes any row. */
  see(row: Uint8Array): void {
    if (row[0] === tables.value) this.#names.add(binaryOf(row));
  }

  /** Keys whose value row was not seen. */
  *missing(view: Pick<StoreView, 'keys'>): Generator<KeyRecord> {
    for (const record of view.keys({})) {
      if (!this.#names.has(binaryOf(record.valueRow))) yield record;
    }
  }
}
