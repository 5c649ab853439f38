import type { Entry, PersistBatch } from '../../../src/raft/index.ts';
import { isSameEntry } from './disk-image.ts';
import { ReferenceStore } from './reference-store.ts';

interface Known {
  readonly entry: Entry;
  readonly previousTerm: number;
}

interface Committed {
  readonly term: number;
  /** Of the leader that committed it. */
  readonly inTerm: number;
}

/**
 * Every entry that any node ever wrote, and which of them are committed. Each method returns what
 * is wrong, or null.
 */
export class CommittedLog {
  readonly #known = new Map<string, Known>();
  /** By index; the first stands for the empty log. */
  readonly #committed: Committed[] = [{ term: 0, inTerm: 0 }];
  readonly store = new ReferenceStore();
  readonly onCommitted: (entry: Entry) => void;

  constructor(onCommitted: (entry: Entry) => void) {
    this.onCommitted = onCommitted;
  }

  get lastIndex(): number {
    return this.#committed.length - 1;
  }

  termAt(index: number): number | undefined {
    return this.#committed[index]?.term;
  }

  isKnown(index: number, term: number): boolean {
    return this.#known.has(nameOf(index, term));
  }

  /** Log matching: one (index, term) is one entry with one predecessor. */
  note(batch: PersistBatch, termBefore: number | undefined): string | null {
    let previousTerm = termBefore;
    for (const entry of batch.entries) {
      if (previousTerm === undefined) return `entry ${entry.index} does not meet the log`;
      const name = nameOf(entry.index, entry.term);
      const known = this.#known.get(name);
      if (known === undefined) this.#known.set(name, { entry, previousTerm });
      else if (!isSameEntry(known.entry, entry)) return `log matching: ${name} are two entries`;
      else if (known.previousTerm !== previousTerm) {
        return `log matching: ${name} follows terms ${known.previousTerm} and ${previousTerm}`;
      }
      previousTerm = entry.term;
    }
    return null;
  }

  /** A leader of `term` committed its entry at `index`, and all before it with it. */
  commit(index: number, term: number): string | null {
    const chain: Known[] = [];
    let expectedTerm = term;
    for (let at = index; at > this.lastIndex; at--) {
      const known = this.#known.get(nameOf(at, expectedTerm));
      if (known === undefined) return `committed ${at}@${expectedTerm} was never written`;
      chain.push(known);
      expectedTerm = known.previousTerm;
    }
    const meets = this.termAt(Math.min(index, this.lastIndex));
    if (meets !== expectedTerm) {
      return `leader completeness: ${index}@${term} follows term ${expectedTerm}, committed was ${meets ?? '-'}`;
    }
    for (const { entry } of chain.reverse()) {
      this.#committed.push({ term: entry.term, inTerm: term });
      this.store.apply(entry);
      this.onCommitted(entry);
    }
    return null;
  }

  /** Leader completeness: a leader of `term` holds all that was committed in earlier terms. */
  missingOf(term: number, holds: (index: number, term: number) => boolean): string | null {
    for (const [index, committed] of this.#committed.entries()) {
      if (index === 0 || committed.inTerm >= term || holds(index, committed.term)) continue;
      return `leader completeness: ${index}@${committed.term}, committed in term ${committed.inTerm}, is missing`;
    }
    return null;
  }
}

const nameOf = (index: number, term: number): string => `${index}@${term}`;
