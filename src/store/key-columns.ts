import type { Baseline, KeyHealth, Revision } from '../shared/index.ts';
import type { KeyFacts } from './codec/row-codec.ts';
import { mixed } from './item-hash.ts';

/** Position of a key's numbers. */
export type Slot = number;

const SLOTS_PER_CHUNK = 4096;
const REALS = 8;
const WORDS = 5;
const HAS_HEALTH = 1;
const IS_UP = 2;
const IS_DOWN = 4;
const IS_EMPTY = 8;

interface Chunk {
  /** createRevision, modRevision, version, valueRevision, then health: two events, two times. */
  readonly reals: Float64Array;
  /** valueBytes, valueChecksum, valueSub, health flags, hash of the key. */
  readonly words: Uint32Array;
}

/** The numbers of all keys in typed arrays: 84 bytes a key, nothing for the collector to visit. */
export class KeyColumns {
  readonly #chunks: Chunk[] = [];
  readonly #free: Slot[] = [];
  #used = 0;

  allocate(): Slot {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.#used === this.#chunks.length * SLOTS_PER_CHUNK) {
      const reals = new Float64Array(SLOTS_PER_CHUNK * REALS);
      this.#chunks.push({ reals, words: new Uint32Array(SLOTS_PER_CHUNK * WORDS) });
    }
    return this.#used++;
  }

  free(slot: Slot): void {
    this.#free.push(slot);
  }

  facts(slot: Slot): KeyFacts {
    const { reals, words } = this.#chunk(slot);
    const real = realAt(slot);
    const word = wordAt(slot);
    return {
      createRevision: reals[real] as Revision,
      modRevision: reals[real + 1] as Revision,
      version: reals[real + 2] as number,
      valueRevision: reals[real + 3] as Revision,
      valueSub: words[word + 2] as number,
      valueBytes: words[word] as number,
      valueChecksum: words[word + 1] as number,
    };
  }

  setFacts(slot: Slot, facts: KeyFacts): void {
    const { reals, words } = this.#chunk(slot);
    const real = realAt(slot);
    const word = wordAt(slot);
    reals[real] = facts.createRevision;
    reals[real + 1] = facts.modRevision;
    reals[real + 2] = facts.version;
    reals[real + 3] = facts.valueRevision;
    words[word] = facts.valueBytes;
    words[word + 1] = facts.valueChecksum;
    words[word + 2] = facts.valueSub;
  }

  setKeyHash(slot: Slot, hash: number): void {
    this.#chunk(slot).words[wordAt(slot) + 4] = hash;
  }

  /** Hash of the key with its facts and its health. */
  itemHash(slot: Slot): number {
    const { reals, words } = this.#chunk(slot);
    const real = realAt(slot);
    const word = wordAt(slot);
    let hash = words[word + 4] as number;
    for (let i = 0; i < REALS; i++) hash = mixed(hash, reals[real + i] as number);
    for (let i = 0; i < WORDS - 1; i++) hash = mixed(hash, words[word + i] as number);
    return hash;
  }

  hasHealth(slot: Slot): boolean {
    return this.#chunk(slot).words[wordAt(slot) + 3] !== 0;
  }

  health(slot: Slot): KeyHealth | undefined {
    const { reals, words } = this.#chunk(slot);
    const real = realAt(slot);
    const flags = words[wordAt(slot) + 3] as number;
    if (flags === 0) return undefined;
    const availability = reals[real + 4] as Revision;
    const emptiness = reals[real + 5] as Revision;
    return {
      createRevision: reals[real] as Revision,
      baseline: baselineOf(flags),
      empty: (flags & IS_EMPTY) !== 0,
      lastAvailabilityEvent: availability === 0 ? null : availability,
      lastEmptinessEvent: emptiness === 0 ? null : emptiness,
      baselineAtMs: reals[real + 6] as number,
      emptyAtMs: reals[real + 7] as number,
    };
  }

  setHealth(slot: Slot, health: KeyHealth | undefined): void {
    const { reals, words } = this.#chunk(slot);
    const real = realAt(slot);
    words[wordAt(slot) + 3] = health === undefined ? 0 : flagsOf(health);
    reals[real + 4] = health?.lastAvailabilityEvent ?? 0;
    reals[real + 5] = health?.lastEmptinessEvent ?? 0;
    reals[real + 6] = health?.baselineAtMs ?? 0;
    reals[real + 7] = health?.emptyAtMs ?? 0;
  }

  #chunk(slot: Slot): Chunk {
    return this.#chunks[Math.floor(slot / SLOTS_PER_CHUNK)] as Chunk;
  }
}

const realAt = (slot: Slot): number => (slot % SLOTS_PER_CHUNK) * REALS;
const wordAt = (slot: Slot): number => (slot % SLOTS_PER_CHUNK) * WORDS;

function baselineOf(flags: number): Baseline | null {
  if ((flags & IS_UP) !== 0) return 'UP';
  return (flags & IS_DOWN) !== 0 ? 'DOWN' : null;
}

function flagsOf(health: KeyHealth): number {
  const baseline = { UP: IS_UP, DOWN: IS_DOWN, none: 0 }[health.baseline ?? 'none'];
  return HAS_HEALTH | baseline | (health.empty ? IS_EMPTY : 0);
}
