import type { Entry, HardState, LogBase } from '../../../src/raft/index.ts';
import type { PersistBatch, RecoveredLog } from '../../../src/raft/index.ts';
import { equalBytes } from '../../../src/shared/index.ts';

/** What a log holds: entries above a base, and term and vote. */
interface Content {
  readonly base: LogBase;
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

/** A new base; `keeps`: entries above it stay. */
export interface Rebase {
  readonly base: LogBase;
  readonly keeps: boolean;
}

/**
 * What one incarnation's disk must hold, written down beside the real log: all that was reported as
 * durable, and what was under way and may or may not have got there.
 */
export class DiskImage {
  #content: Content | null = null;
  #write: PersistBatch | null = null;
  /** Under way, in the order of the log's lane. */
  #rebases: readonly Rebase[] = [];

  /** false: nothing was ever reported as durable. */
  get exists(): boolean {
    return this.#content !== null;
  }

  /** Nothing is under way: this is what the node itself takes for its log. */
  get isAtRest(): boolean {
    return this.#write === null && this.#rebases.length === 0;
  }

  /** Index of the newest configuration below `end`. */
  configurationBelow(end: number): number {
    const { base, entries } = this.#known;
    const found = entries.findLast(({ kind, index }) => kind === 'configuration' && index < end);
    return found?.index ?? base.configuration.index;
  }

  get baseIndex(): number {
    return this.#content?.base.index ?? 0;
  }

  get lastIndex(): number {
    return this.baseIndex + (this.#content?.entries.length ?? 0);
  }

  get hardState(): HardState {
    return this.#known.hardState;
  }

  /** Undefined outside base..last. */
  termAt(index: number): number | undefined {
    if (this.#content === null) return undefined;
    if (index === this.baseIndex) return this.#content.base.term;
    return this.#content.entries[index - this.baseIndex - 1]?.term;
  }

  /** The entry is durable here, or stands behind the base. */
  holds(index: number, term: number): boolean {
    return index < this.baseIndex || this.termAt(index) === term;
  }

  writeBegins(batch: PersistBatch): void {
    this.#write = batch;
  }

  writeEnds(batch: PersistBatch): void {
    this.#content = written(this.#known, batch, batch.entries.length);
    this.#write = null;
  }

  rebaseBegins(rebase: Rebase): void {
    this.#rebases = [...this.#rebases, rebase];
  }

  rebaseEnds(rebase: Rebase): void {
    this.#content = rebased(this.#known, rebase);
    this.#rebases = this.#rebases.filter((other) => other !== rebase);
  }

  /**
   * Takes what a restart found for what is durable from now on. Returns why it cannot be what the
   * crash left of this image; null when it can.
   */
  recover(recovered: RecoveredLog, entries: readonly Entry[]): string | null {
    const { base, hardState } = recovered;
    const found: Content = { base, entries, hardState };
    const complaint = this.#content === null ? null : this.#complaintAbout(found, this.#content);
    this.#content = found;
    this.#write = null;
    this.#rebases = [];
    return complaint;
  }

  get #known(): Content {
    if (this.#content === null) throw new Error('There is no disk image yet');
    return this.#content;
  }

  #complaintAbout(found: Content, durable: Content): string | null {
    const candidates = this.#possibleContents(durable);
    if (candidates.some((candidate) => isSame(candidate, found))) return null;
    const possible = candidates.map(describe).join(' or ');
    return `the disk held ${possible}, but a restart found ${describe(found)}`;
  }

  /** A batch may be on the disk up to any of its entries: it may take several records. */
  #possibleContents(durable: Content): readonly Content[] {
    let possible: Content[] = [durable];
    const write = this.#write;
    if (write !== null) {
      const { length } = write.entries;
      for (let count = Math.min(1, length); count <= length; count++) {
        possible.push(written(durable, write, count));
      }
    }
    for (const rebase of this.#rebases) {
      possible = [...possible, ...possible.map((one) => rebased(one, rebase))];
    }
    return possible;
  }
}

/** Cuts what the first `count` entries replace, then adds them. */
function written(content: Content, batch: PersistBatch, count: number): Content {
  const hardState = batch.hardState ?? content.hardState;
  const first = batch.entries[0];
  if (first === undefined || count === 0) return { ...content, hardState };
  const kept = content.entries.slice(0, Math.max(0, first.index - content.base.index - 1));
  const added = batch.entries.slice(0, count).filter((entry) => entry.index > content.base.index);
  return { ...content, hardState, entries: [...kept, ...added] };
}

function rebased(content: Content, { base, keeps }: Rebase): Content {
  if (base.index < content.base.index) return content;
  const above = content.entries.filter((entry) => entry.index > base.index);
  return { ...content, base, entries: keeps ? above : [] };
}

function isSame(a: Content, b: Content): boolean {
  return (
    a.base.index === b.base.index &&
    a.base.term === b.base.term &&
    a.hardState.term === b.hardState.term &&
    a.hardState.vote === b.hardState.vote &&
    a.entries.length === b.entries.length &&
    a.entries.every((entry, i) => isSameEntry(entry, b.entries[i]))
  );
}

export function isSameEntry(a: Entry, b: Entry | undefined): boolean {
  return (
    a.index === b?.index &&
    a.term === b.term &&
    a.kind === b.kind &&
    equalBytes(a.payload, b.payload)
  );
}

function describe({ base, entries, hardState }: Content): string {
  const last = entries.at(-1);
  const end = last === undefined ? 'nothing' : `entries to ${last.index}@${last.term}`;
  const { term, vote } = hardState;
  return `[term ${term} vote ${vote ?? '-'} base ${base.index}@${base.term} ${end}]`;
}
