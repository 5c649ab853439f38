import type { Entry } from '../../../src/raft/index.ts';
import { equalBytes } from '../../../src/shared/index.ts';
import type { Compare, Envelope, Operation } from '../../../src/store/index.ts';
import { decodeBatch } from '../../../src/store/index.ts';

/** A key at one revision. */
export interface ReferenceKey {
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

/** What became of one command. */
export interface ReferenceResult {
  readonly index: number;
  readonly revision: number;
  readonly changed: boolean;
  readonly branch: 'then' | 'else';
}

type Keys = Map<string, ReferenceKey>;

/** A key from a revision on; null: deleted. */
interface Version {
  readonly revision: number;
  readonly key: ReferenceKey | null;
}

/**
 * The store as its users understand it, written anew in the simplest way: puts, deletes and
 * conditions, with every past state; what has a sequence is carried out once. Sessions do not expire
 * here: simulations are too short, and a clock that is hours wrong must end none.
 */
export class ReferenceStore {
  readonly #keys: Keys = new Map();
  readonly #versions = new Map<string, Version[]>();
  readonly #results = new Map<string, ReferenceResult>();
  /** By index. */
  readonly #revisions: number[] = [0];
  #revision = 0;

  /** Names of commands that were carried out twice. */
  readonly repeated: string[] = [];

  get appliedIndex(): number {
    return this.#revisions.length - 1;
  }

  get keys(): ReadonlyMap<string, ReferenceKey> {
    return this.#keys;
  }

  get resultCount(): number {
    return this.#results.size;
  }

  /** The revision after the entry at `index`. */
  revisionAt(index: number): number | undefined {
    return this.#revisions[index];
  }

  resultOf(name: string): ReferenceResult | undefined {
    return this.#results.get(name);
  }

  /** The key as it was when the revision was `revision`. */
  keyAt(key: string, revision: number): ReferenceKey | null {
    const versions = this.#versions.get(key) ?? [];
    return versions.findLast((version) => version.revision <= revision)?.key ?? null;
  }

  /** Takes the next committed entry. */
  apply(entry: Entry): void {
    if (entry.kind === 'command') {
      for (const envelope of decodeBatch(entry.payload).envelopes) {
        if (envelope !== null) this.#carryOut(envelope, entry.index);
      }
    }
    this.#revisions.push(this.#revision);
  }

  #carryOut(envelope: Envelope, index: number): void {
    const name = requestName(envelope);
    if (this.#results.has(name)) {
      // Of a session this is a repetition, which changes nothing.
      if (envelope.sequence === 0) this.repeated.push(name);
      return;
    }
    const branch = envelope.compare.every((compare) => this.#holds(compare)) ? 'then' : 'else';
    const revision = this.#revision + 1;
    const touched = new Set<string>();
    for (const operation of envelope[branch]) this.#operate(operation, revision, touched);
    const changed = touched.size > 0;
    if (changed) this.#revision = revision;
    for (const key of touched) this.#remember(key, revision);
    this.#results.set(name, { index, revision: this.#revision, changed, branch });
  }

  #operate(operation: Operation, revision: number, touched: Set<string>): void {
    if (operation.kind !== 'put' && operation.kind !== 'delete') {
      throw new Error(`The reference store knows no ${operation.kind}`);
    }
    const key = textOf(operation.key);
    const before = this.#keys.get(key);
    if (operation.kind === 'put') {
      this.#keys.set(key, {
        value: operation.value.slice(),
        createRevision: before?.createRevision ?? revision,
        modRevision: revision,
        version: (before?.version ?? 0) + 1,
      });
      touched.add(key);
    } else if (this.#keys.delete(key)) touched.add(key);
  }

  #remember(key: string, revision: number): void {
    const versions = this.#versions.get(key) ?? [];
    versions.push({ revision, key: this.#keys.get(key) ?? null });
    this.#versions.set(key, versions);
  }

  #holds({ key, target, relation, number, bytes }: Compare): boolean {
    const found = this.#keys.get(textOf(key));
    if (target === 'value') {
      return found !== undefined && equalBytes(found.value, bytes) === (relation === 'equal');
    }
    const actual = found?.[target] ?? 0;
    return {
      equal: actual === number,
      notEqual: actual !== number,
      less: actual < number,
      greater: actual > number,
    }[relation];
  }
}

/** Each command of a simulation has a name of its own; a repetition has that of the first. */
export const requestName = ({ session, sequence }: Envelope): string =>
  sequence === 0 ? session : `${session}#${sequence}`;

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
