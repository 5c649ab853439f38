import type { Decision, HoldState } from '../../health/index.ts';
import { noHold } from '../../health/index.ts';
import type { Revision } from '../../shared/index.ts';
import { fromUtf8 } from '../../shared/index.ts';
import type { KeyRecord } from '../../store/index.ts';

/** What the judge remembers of a key between two decisions. */
export interface Case {
  readonly keyId: Revision;
  readonly name: string;
  readonly key: Uint8Array;
  hold: HoldState;
  isProposing: boolean;
  lastKind: Decision['kind'];
}

/** The cases by number and by name, and which of them wait for something. */
export class CaseBook {
  readonly #byId = new Map<Revision, Case>();
  readonly #byName = new Map<string, Case>();
  readonly #waiting = new Set<Revision>();
  readonly #awaitingReports = new Set<Revision>();

  byId(keyId: Revision): Case | undefined {
    return this.#byId.get(keyId);
  }

  byName(name: string): Case | undefined {
    return this.#byName.get(name);
  }

  /** How many keys have an agreement that is no event yet. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Keys of which a vote counts only after its member's next report. */
  get awaitingReports(): ReadonlySet<Revision> {
    return this.#awaitingReports;
  }

  /** The first case of a key; there must be none of its name. */
  open({ createRevision: keyId, key }: KeyRecord): Case {
    const name = fromUtf8(key);
    const one: Case = { keyId, name, key, hold: noHold, isProposing: false, lastKind: 'none' };
    this.#byId.set(keyId, one);
    this.#byName.set(name, one);
    return one;
  }

  /** Takes what was decided. True when it is of another kind than before. */
  keep(one: Case, { kind, hold }: Decision, awaitsReport: boolean): boolean {
    one.hold = hold;
    setMember(this.#waiting, one.keyId, kind === 'waiting');
    setMember(this.#awaitingReports, one.keyId, awaitsReport);
    const isNews = one.lastKind !== kind;
    one.lastKind = kind;
    return isNews;
  }

  close({ keyId, name }: Case): void {
    this.#byId.delete(keyId);
    this.#byName.delete(name);
    this.#waiting.delete(keyId);
    this.#awaitingReports.delete(keyId);
  }

  clear(): void {
    this.#byId.clear();
    this.#byName.clear();
    this.#waiting.clear();
    this.#awaitingReports.clear();
  }
}

function setMember<T>(set: Set<T>, item: T, isMember: boolean): void {
  if (isMember) set.add(item);
  else set.delete(item);
}
