import { RaftCore } from '../../src/raft/index.ts';
import type {
  Entry,
  HardState,
  IndexedConfiguration,
  LogBase,
  PersistBatch,
  RaftInit,
  RaftInput,
  RaftMessage,
  RaftOutput,
  RaftSettings,
  Reply,
} from '../../src/raft/index.ts';
import { asIndex, assert } from '../../src/shared/index.ts';
import type { LogIndex, PeerId, Random } from '../../src/shared/index.ts';
import { decodeConfiguration } from '../../src/wire/index.ts';
import { describeEntries } from './raft-fixtures.ts';

/** What a node's disk holds: it survives `crash`. */
export interface Disk {
  hardState: HardState;
  base: LogBase;
  entries: Entry[];
}

interface Held {
  readonly afterSequence: number;
  readonly messages: readonly RaftMessage[];
}

/** Who watches a node; called in the order in which things happen. */
export interface NodeEvents {
  send(message: RaftMessage): void;
  onOutput(node: RaftNode, output: RaftOutput): void;
  /** Entries that the node may apply now, in order. */
  onReleased(node: RaftNode, entries: readonly Entry[]): void;
  sendSnapshot(node: RaftNode, to: PeerId): void;
}

const none: readonly never[] = [];

/** A core with a disk, a state machine that remembers entries, and nothing else. */
export class RaftNode {
  readonly id: PeerId;
  readonly disk: Disk;
  core: RaftCore;
  /** Entries above the base as the core sees them, durable or not. */
  memory: Entry[];
  /** The state machine: every entry it has applied, by index from 1. */
  state: (Entry | undefined)[] = [];
  replies: Reply[] = [];
  outputs: RaftOutput[] = [];
  /** Batches that are not durable yet; with `persistsAtOnce` always empty between steps. */
  writes: PersistBatch[] = [];
  persistsAtOnce = true;
  isDown = false;
  /** State and base of a snapshot that arrived. */
  arrived: { base: LogBase; state: (Entry | undefined)[] } | null = null;
  #held: Held[] = [];
  readonly #settings: RaftSettings;
  readonly #random: Random;
  readonly #events: NodeEvents;

  constructor(init: RaftInit, entries: readonly Entry[], random: Random, events: NodeEvents) {
    this.id = init.self;
    this.disk = { hardState: init.hardState, base: init.base, entries: [...entries] };
    this.memory = [...entries];
    this.#settings = init.settings;
    this.#random = random;
    this.#events = events;
    this.core = new RaftCore(init, random);
    this.state.length = init.appliedIndex + 1;
  }

  get view(): RaftCore['view'] {
    return this.core.view;
  }

  step(input: RaftInput): RaftOutput {
    assert(!this.isDown, `${this.id} is down`);
    const output = this.core.step(input);
    this.#handle(output);
    if (this.persistsAtOnce) this.persist();
    return output;
  }

  receive(message: RaftMessage): void {
    this.step({ kind: 'message', message });
  }

  /** Makes the oldest `count` batches durable and releases what waited for them. */
  persist(count = Infinity): void {
    for (let done = 0; done < count; done++) {
      const batch = this.writes.shift();
      if (!batch) return;
      this.#write(batch);
      this.#handle(this.core.step({ kind: 'persisted', sequence: batch.sequence }));
      this.#release(batch.sequence);
    }
  }

  /** Loses all that is not durable. */
  crash(): void {
    this.isDown = true;
    this.writes = [];
    this.#held = [];
    this.arrived = null;
  }

  restart(): void {
    const { base, entries, hardState } = this.disk;
    const lastIndex = entries.at(-1)?.index ?? base.index;
    this.isDown = false;
    this.memory = [...entries];
    this.state.length = base.index + 1;
    this.core = new RaftCore(
      {
        self: this.id,
        settings: this.#settings,
        hardState,
        base,
        ...describeEntries(entries),
        lastIndex,
        configurations: configurationsIn(entries),
        appliedIndex: base.index,
      },
      this.#random,
    );
  }

  /** Cuts the log up to `index`, which must be applied. */
  compact(index: number): void {
    const cut = this.memory.find((entry) => entry.index === index);
    assert(cut !== undefined, `${index} must be in the log`);
    const above = configurationsIn(this.memory.filter((entry) => entry.index <= index));
    const configuration = above.at(-1) ?? this.disk.base.configuration;
    const base: LogBase = { index: cut.index, term: cut.term, configuration };
    this.disk.base = base;
    this.disk.entries = this.disk.entries.filter((entry) => entry.index > index);
    this.memory = this.memory.filter((entry) => entry.index > index);
    this.step({ kind: 'compacted', base });
  }

  entryAt(index: number): Entry | undefined {
    return this.memory[index - this.disk.base.index - 1];
  }

  get lastIndex(): LogIndex {
    return this.memory.at(-1)?.index ?? this.disk.base.index;
  }

  #handle(output: RaftOutput): void {
    if (output.persist) {
      replaceTail(this.memory, output.persist.entries);
      this.writes.push(output.persist);
    }
    this.outputs.push(output);
    this.#events.onOutput(this, output);
    for (const message of output.messagesNow) this.#events.send(this.#filled(message));
    if (output.messagesAfterPersist.length > 0) {
      this.#held.push({
        afterSequence: output.afterSequence,
        messages: output.messagesAfterPersist,
      });
      if (this.writes.length === 0) this.#release(output.afterSequence);
    }
    this.replies.push(...output.replies);
    if (output.commitIndex !== null) this.#apply(output.commitIndex);
    for (const to of output.sendSnapshots) this.#events.sendSnapshot(this, to);
    if (output.dropSnapshot) this.arrived = null;
    if (output.installSnapshot) this.#install(output.installSnapshot);
  }

  #apply(commitIndex: LogIndex): void {
    const released: Entry[] = [];
    for (let index = this.state.length || 1; index <= commitIndex; index++) {
      const entry = this.entryAt(index);
      assert(entry !== undefined, `${this.id} must hold released entry ${index}`);
      this.state[index] = entry;
      released.push(entry);
    }
    this.#events.onReleased(this, released);
    this.#handle(this.core.step({ kind: 'applied', index: commitIndex }));
  }

  #install(base: LogBase): void {
    assert(this.arrived !== null, `${this.id} must have a snapshot to install`);
    // As the driver does: what was ordered before the install is written before it.
    while (this.writes.length > 0) this.persist(1);
    this.state = this.arrived.state.slice(0, base.index + 1);
    this.arrived = null;
    this.disk.base = base;
    this.disk.entries = [];
    this.memory = [];
    this.#handle(this.core.step({ kind: 'snapshotInstalled', base }));
  }

  #filled(message: RaftMessage): RaftMessage {
    if (message.kind !== 'appendRequest') return message;
    const { previousIndex, lastIndex } = message;
    const from = previousIndex - this.disk.base.index;
    const entries = this.memory.slice(from, from + lastIndex - previousIndex);
    assert(entries.length === lastIndex - previousIndex, `${this.id} must hold what it sends`);
    return { ...message, entries };
  }

  #write(batch: PersistBatch): void {
    if (batch.hardState) this.disk.hardState = batch.hardState;
    replaceTail(this.disk.entries, batch.entries);
  }

  #release(sequence: number): void {
    while (this.#held[0] && this.#held[0].afterSequence <= sequence) {
      for (const message of this.#held.shift()?.messages ?? none) this.#events.send(message);
    }
  }
}

function replaceTail(held: Entry[], entries: readonly Entry[]): void {
  const [first] = entries;
  if (!first) return;
  const position = held.findIndex(({ index }) => index >= first.index);
  if (position >= 0) held.length = position;
  assert((held.at(-1)?.index ?? first.index - 1) === first.index - 1, 'Entries must be contiguous');
  held.push(...entries);
}

function configurationsIn(entries: readonly Entry[]): IndexedConfiguration[] {
  return entries
    .filter(({ kind }) => kind === 'configuration')
    .map(({ index, payload }) => ({
      index: asIndex(index),
      configuration: decodeConfiguration(payload),
    }));
}
