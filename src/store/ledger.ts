import type { EventKind, EventRecord, Revision } from '../shared/index.ts';
import { kindOf } from '../shared/index.ts';

/** An event with the size of its row, and the hash of that. */
export interface StoredEvent {
  readonly event: EventRecord;
  readonly bytes: number;
  readonly hash: number;
}

/** Whether the tracked notification of the event is pending or running. */
export const isOpen = (event: EventRecord): boolean =>
  event.notification.state === 'pending' || event.notification.state === 'running';

/** Events by id, ascending, and those of them that are open. */
export class Ledger {
  /** In order of insertion, which is the order of ids. */
  readonly #events = new Map<Revision, StoredEvent>();
  readonly #open = new Map<Revision, EventRecord>();
  /** Ids of open events by the name of their key. */
  readonly #openByKey = new Map<string, readonly Revision[]>();
  #bytes = 0;
  #openBytes = 0;
  #digest = 0;
  #openInOrder: readonly EventRecord[] | null = null;

  get size(): number {
    return this.#events.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get openCount(): number {
    return this.#open.size;
  }

  get openBytes(): number {
    return this.#openBytes;
  }

  get(id: Revision): EventRecord | undefined {
    return this.#events.get(id)?.event;
  }

  /** Sum of the hashes of all events. */
  get digest(): number {
    return this.#digest;
  }

  stored(id: Revision): StoredEvent | undefined {
    return this.#events.get(id);
  }

  /** Adds or replaces; a new event has the highest id. */
  set(stored: StoredEvent): void {
    const { event, bytes, hash } = stored;
    this.#forget(event.id);
    this.#events.set(event.id, stored);
    this.#bytes += bytes;
    this.#digest = (this.#digest + hash) >>> 0;
    if (isOpen(event)) this.#addOpen(event, bytes);
  }

  remove(id: Revision): void {
    this.#forget(id);
    this.#events.delete(id);
  }

  oldestFirst(): IterableIterator<StoredEvent> {
    return this.#events.values();
  }

  newestFirst(): readonly EventRecord[] {
    return Array.from(this.#events.values(), (stored) => stored.event).reverse();
  }

  /** Oldest first. */
  open(): readonly EventRecord[] {
    this.#openInOrder ??= [...this.#open.values()].sort((a, b) => a.id - b.id);
    return this.#openInOrder;
  }

  openOf(key: string): readonly EventRecord[] {
    const ids = this.#openByKey.get(key) ?? [];
    return ids.map((id) => this.#open.get(id)).filter((event) => event !== undefined);
  }

  openOfKind(key: string, kind: EventKind): EventRecord | undefined {
    return this.openOf(key).find((event) => kindOf(event.to) === kind);
  }

  #addOpen(event: EventRecord, bytes: number): void {
    this.#open.set(event.id, event);
    this.#openBytes += bytes;
    const ids = this.#openByKey.get(event.key) ?? [];
    this.#openByKey.set(
      event.key,
      [...ids, event.id].sort((a, b) => a - b),
    );
    this.#openInOrder = null;
  }

  /** Takes the event out of the sums and of what is open, not out of the list. */
  #forget(id: Revision): void {
    const stored = this.#events.get(id);
    if (stored === undefined) return;
    this.#bytes -= stored.bytes;
    this.#digest = (this.#digest - stored.hash) >>> 0;
    if (!this.#open.delete(id)) return;
    this.#openBytes -= stored.bytes;
    this.#openInOrder = null;
    const key = stored.event.key;
    const rest = (this.#openByKey.get(key) ?? []).filter((other) => other !== id);
    if (rest.length === 0) this.#openByKey.delete(key);
    else this.#openByKey.set(key, rest);
  }
}
