import type { Configuration, Entry, LogBase } from '../../raft/index.ts';
import { codeOf, fromUtf8, QuorateError } from '../../shared/index.ts';
import type { LogVisitor } from '../../storage/index.ts';
import type { Operation } from '../../store/index.ts';
import { decodeBatch } from '../../store/index.ts';
import { decodeConfiguration } from '../../wire/index.ts';

/** Most entries that are shown at once. */
export const shownMax = 10_000;
const operationsShown = 3;
const keyCharsShown = 40;

/** An entry for people. */
export interface ShownEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: Entry['kind'];
  /** Of its payload. */
  readonly bytes: number;
  readonly what: string;
}

/** Keeps the entries of a range that a log holds in the end: what was cut in between is gone. */
export class EntryList {
  readonly #from: number;
  readonly #to: number;
  readonly #shown = new Map<number, ShownEntry>();
  #last = 0;

  /** Throws CONFIG_INVALID when the range is too large. */
  constructor(from: number, to: number) {
    if (to - from >= shownMax) {
      const found = `${from} to ${to}`;
      const text = `Cannot show entries ${found}: accepted are at most ${shownMax} at once`;
      throw new QuorateError('CONFIG_INVALID', text);
    }
    this.#from = from;
    this.#to = to;
  }

  readonly onEntries: NonNullable<LogVisitor['onEntries']> = (entries) => {
    this.#cutFrom(entries[0]?.index ?? 0);
    this.#last = entries.at(-1)?.index ?? this.#last;
    for (const entry of entries) {
      if (entry.index < this.#from || entry.index > this.#to) continue;
      this.#shown.set(entry.index, shown(entry));
    }
  };

  readonly onBase: NonNullable<LogVisitor['onBase']> = (base: LogBase, keepsRest) => {
    if (!keepsRest) this.#cutFrom(0);
    for (const index of this.#shown.keys()) if (index <= base.index) this.#shown.delete(index);
  };

  get list(): readonly ShownEntry[] {
    return [...this.#shown.values()].sort((a, b) => a.index - b.index);
  }

  #cutFrom(first: number): void {
    if (first > this.#last) return;
    for (const index of this.#shown.keys()) if (index >= first) this.#shown.delete(index);
  }
}

const shown = (entry: Entry): ShownEntry => ({
  index: entry.index,
  term: entry.term,
  kind: entry.kind,
  bytes: entry.payload.length,
  what: describe(entry),
});

function describe({ kind, payload }: Entry): string {
  if (kind === 'noop') return '';
  if (kind === 'configuration') return describeConfiguration(decodeConfiguration(payload));
  const operations = decodeBatch(payload).envelopes.flatMap((envelope) => envelope?.then ?? []);
  const some = operations.slice(0, operationsShown).map(describeOperation).join(', ');
  const rest = operations.length - operationsShown;
  return rest > 0 ? `${some} and ${rest} more` : some;
}

function describeOperation(operation: Operation): string {
  if ('key' in operation) return `${operation.kind} ${nameOf(operation.key)}`;
  if ('expect' in operation) return `${operation.kind} ${operation.expect.key}`;
  return operation.kind;
}

function nameOf(key: Uint8Array): string {
  try {
    const text = JSON.stringify(fromUtf8(key)).slice(1, -1);
    return text.length > keyCharsShown ? `${text.slice(0, keyCharsShown)}...` : text;
  } catch (error) {
    if (codeOf(error) === undefined && !(error instanceof TypeError)) throw error;
    return `${key.length} bytes`;
  }
}

/** `node1 voter, node2 learner`; of a joint one also who is being left. */
export function describeConfiguration({ members, outgoingVoters }: Configuration): string {
  const list = members.map(({ nodeId, role }) => `${nodeId} ${role}`).join(', ');
  if (outgoingVoters.length === 0) return list === '' ? 'nobody yet' : list;
  return `${list}; joint with the former voters ${outgoingVoters.join(', ')}`;
}
