import { assert } from '../shared/index.ts';
import type { Revision, SampleStatus, Verdict } from '../shared/index.ts';

/** How many samples are kept and how many of the last must be unanimous. */
export interface WindowSettings {
  readonly window: number;
  readonly samples: number;
}

/** One finished run of the verification script. */
export interface Sample {
  readonly status: SampleStatus;
  /** Unix milliseconds when it ended; for people only. */
  readonly atMs: number;
  /** State revision that this node had applied when the run began. */
  readonly startedAtBasis: Revision;
  /** The first 4 KiB of what the script printed. */
  readonly detail: string;
}

/** What the last samples, oldest first, mean by section "Decisions" 1 of the interface. */
export function verdictOf(statuses: readonly SampleStatus[], samplesMin: number): Verdict {
  if (statuses.length < samplesMin) return 'LESS_THAN_MINSAMPLE';
  const last = statuses.slice(-samplesMin);
  const [first] = last;
  assert(first !== undefined, 'At least one sample makes a verdict');
  if (last.every((status) => status === first)) return first;
  return last.includes('EMPTY') ? 'NOT_FILL_SAMPLES' : 'NO_EMPTY_IN_SAMPLES';
}

/** The last samples of one key for one value: other bytes start it again. */
export class SampleWindow {
  readonly #settings: WindowSettings;
  #valueRevision: Revision;
  #items: Sample[] = [];

  constructor(settings: WindowSettings, valueRevision: Revision) {
    assert(settings.samples >= 1, `A verdict needs at least 1 sample, got ${settings.samples}`);
    assert(
      settings.window >= settings.samples,
      `A window of ${settings.window} must hold ${settings.samples} samples`,
    );
    this.#settings = settings;
    this.#valueRevision = valueRevision;
  }

  get valueRevision(): Revision {
    return this.#valueRevision;
  }

  /** Oldest first, at most `window`. */
  get items(): readonly Sample[] {
    return this.#items;
  }

  /** The statuses alone, oldest first: what travels with a verdict. */
  get samples(): readonly SampleStatus[] {
    return this.#items.map((item) => item.status);
  }

  get verdict(): Verdict {
    return verdictOf(this.samples, this.#settings.samples);
  }

  /** The value is now that of `valueRevision`; a newer one forgets what was seen of the old bytes. */
  valueIs(valueRevision: Revision): void {
    if (valueRevision <= this.#valueRevision) return;
    this.#valueRevision = valueRevision;
    this.#items = [];
  }

  /**
   * Takes the sample of a run that was given the value of `valueRevision`. False when that value is
   * no longer the current one: the sample says nothing about the new bytes and is dropped.
   */
  add(sample: Sample, valueRevision: Revision): boolean {
    if (valueRevision < this.#valueRevision) return false;
    this.valueIs(valueRevision);
    this.#items.push(sample);
    if (this.#items.length > this.#settings.window) this.#items.shift();
    return true;
  }
}

/**
 * Basis of a report over these windows: the state revision applied when the oldest of their newest
 * samples began; `applied` when no window has a sample. Overdue keys abstain and must be left out,
 * else one hanging script would hold the basis back for ever.
 */
export function reportBasis(windows: Iterable<SampleWindow>, applied: Revision): Revision {
  let basis = applied;
  for (const { items } of windows) {
    const newest = items.at(-1);
    if (newest !== undefined && newest.startedAtBasis < basis) basis = newest.startedAtBasis;
  }
  return basis;
}
