import type { EntryKind, HardState, IndexedConfiguration } from '../../raft/index.ts';
import type { LogIndex, Term } from '../../shared/index.ts';
import { readConfiguration, readEntries, readHead, readSegment } from './bodies.ts';
import type { LogHead } from './bodies.ts';
import type { ScannedRecord } from './scan.ts';
import type { Segment } from './segment.ts';

/** sealed: full, never written again. spare: prepared, not in use yet. */
export type SegmentUse = 'sealed' | 'in use' | 'spare' | 'damaged';

/** One file of the log, for people. */
export interface SegmentSummary {
  readonly path: string;
  readonly sequence: number;
  /** Of the file. */
  readonly bytes: number;
  /** Up to the end of the last whole record. */
  readonly usedBytes: number;
  readonly use: SegmentUse;
  readonly records: number;
  /** Entries that were written to it, cut ones among them. */
  readonly entries: Readonly<Record<EntryKind, number>>;
  readonly firstIndex: LogIndex | null;
  readonly lastIndex: LogIndex | null;
  readonly firstTerm: Term | null;
  readonly lastTerm: Term | null;
  /** Term and vote as of its end. */
  readonly hardState: HardState | null;
  /** The newest configuration that it names. */
  readonly configuration: IndexedConfiguration | null;
}

/** Adds up the records of one segment. */
export class SegmentTally {
  readonly #segment: Segment;
  readonly #entries = { noop: 0, command: 0, configuration: 0 };
  #records = 0;
  #usedBytes = 0;
  #first: { readonly index: LogIndex; readonly term: Term } | null = null;
  #last: { readonly index: LogIndex; readonly term: Term } | null = null;
  #hardState: HardState | null = null;
  #configuration: IndexedConfiguration | null = null;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  add({ header, body, location }: ScannedRecord): void {
    this.#records++;
    this.#usedBytes = location.offset + location.bytes;
    if (header.kind === 'segment') this.#addHead(readSegment(body).head);
    else if (header.kind === 'base') this.#addHead(readHead(body));
    else if (header.kind === 'entries') this.#addEntries(body);
  }

  summary(use: SegmentUse): SegmentSummary {
    const { path, sequence, bytes } = this.#segment;
    return {
      ...{ path, sequence, bytes, use },
      usedBytes: this.#usedBytes,
      records: this.#records,
      entries: { ...this.#entries },
      firstIndex: this.#first?.index ?? null,
      lastIndex: this.#last?.index ?? null,
      firstTerm: this.#first?.term ?? null,
      lastTerm: this.#last?.term ?? null,
      hardState: this.#hardState,
      configuration: this.#configuration,
    };
  }

  #addHead({ hardState, base }: LogHead): void {
    this.#hardState = hardState;
    this.#configuration ??= base.configuration;
  }

  #addEntries(body: Uint8Array): void {
    const { hardState, entries } = readEntries(body);
    this.#hardState = hardState;
    for (const entry of entries) {
      this.#entries[entry.kind]++;
      if (entry.kind === 'configuration') this.#configuration = readConfiguration(entry);
    }
    this.#first ??= entries[0] ?? null;
    this.#last = entries.at(-1) ?? this.#last;
  }
}
