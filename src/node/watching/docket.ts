import { Deadlines } from '../../health/index.ts';
import type { Revision } from '../../shared/index.ts';
import type { KeyRecord, StoreView } from '../../store/index.ts';

/** Keys per turn of the event loop from each source: none of them can hold up the others. */
const keysPerTurn = { due: 500, changed: 500, walked: 1_000 };

/**
 * Which keys are to be looked at: those whose time has come, those about which something changed,
 * and, after a change that concerns many, all of them in turn. Other keys cost nothing.
 */
export class Docket {
  readonly #deadlines = new Deadlines();
  readonly #changed = new Set<Revision>();
  /** The walk over all keys goes on behind this one; null: no walk. */
  #walk: { readonly after: Uint8Array | null } | null = null;
  /** Something that concerns all keys changed during the walk. */
  #walksAgain = false;

  /** To be looked at in the next turns. */
  changed(keyId: Revision): void {
    this.#changed.add(keyId);
  }

  /** Every key is to be looked at once from now on. */
  allChanged(): void {
    if (this.#walk?.after) this.#walksAgain = true;
    else this.#walk = { after: null };
  }

  /** To be looked at then even when nothing changes (monotonic); null: not. */
  lookAt(keyId: Revision, atMs: number | null): void {
    if (atMs === null) this.#deadlines.delete(keyId);
    else this.#deadlines.set(keyId, atMs);
  }

  forget(keyId: Revision): void {
    this.#deadlines.delete(keyId);
    this.#changed.delete(keyId);
  }

  clear(): void {
    this.#deadlines.clear();
    this.#changed.clear();
    this.#walk = null;
    this.#walksAgain = false;
  }

  /** Something is to be looked at in the very next turn. */
  get isBusy(): boolean {
    return this.#changed.size > 0 || this.#walk !== null;
  }

  /** When the first deadline is (monotonic); null without any. */
  get nextDeadlineMs(): number | null {
    return this.#deadlines.nextAtMs;
  }

  /** Takes out the keys for one turn: those that are due, then those that changed. */
  take(nowMs: number): readonly Revision[] {
    const taken = [...this.#deadlines.takeDue(nowMs, keysPerTurn.due)];
    const atMost = taken.length + keysPerTurn.changed;
    for (const keyId of this.#changed) {
      if (taken.length >= atMost) break;
      this.#changed.delete(keyId);
      taken.push(keyId);
    }
    return taken;
  }

  /** Takes the next part of a walk over all keys; nothing without one. */
  takeWalked(machine: Pick<StoreView, 'keys'>): readonly KeyRecord[] {
    if (this.#walk === null) return [];
    const { after } = this.#walk;
    const records = [...machine.keys({ ...(after && { after }), limit: keysPerTurn.walked })];
    const last = records.at(-1);
    const isOver = last === undefined || records.length < keysPerTurn.walked;
    if (!isOver) this.#walk = { after: last.key };
    else {
      this.#walk = this.#walksAgain ? { after: null } : null;
      this.#walksAgain = false;
    }
    return records;
  }
}
