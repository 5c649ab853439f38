import type { SampleWindow } from '../../health/index.ts';
import type { Revision } from '../../shared/index.ts';
import type { KeyRecord } from '../../store/index.ts';

/** A live key that this node watches. */
export interface Watched {
  readonly key: string;
  readonly keyId: Revision;
  record: KeyRecord;
  readonly window: SampleWindow;
}

/** The keys being watched, by number and by name. */
export class WatchList {
  readonly #byId = new Map<Revision, Watched>();
  readonly #byName = new Map<string, Watched>();

  get all(): Iterable<Watched> {
    return this.#byId.values();
  }

  byId(keyId: Revision): Watched | undefined {
    return this.#byId.get(keyId);
  }

  byName(key: string): Watched | undefined {
    return this.#byName.get(key);
  }

  add(watched: Watched): void {
    this.#byId.set(watched.keyId, watched);
    this.#byName.set(watched.key, watched);
  }

  remove(watched: Watched): void {
    this.#byId.delete(watched.keyId);
    if (this.#byName.get(watched.key) === watched) this.#byName.delete(watched.key);
  }
}
