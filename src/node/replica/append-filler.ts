import type { AppendRequest, Entry, LogStore, RaftMessage } from '../../raft/index.ts';
import type { PeerId } from '../../shared/index.ts';
import { asIndex, codeOf } from '../../shared/index.ts';
import type { EntryCache } from './entry-cache.ts';

/** Messages that may wait behind one peer's disk read; more are dropped, as a network would. */
const waitingMax = 64;
const readBytes = 4 * 1024 * 1024;

export interface AppendFillerInit {
  readonly cache: EntryCache;
  readonly log: Pick<LogStore, 'read'>;
  /** This node still leads in the term of the message: its log is what it was when that was ordered. */
  readonly isCurrent: (message: AppendRequest) => boolean;
  readonly send: (message: RaftMessage) => void;
  /** The disk failed: the process must stop. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * Puts entries into the appends that the core ordered: from the cache at once, else from the disk.
 * Appends to one peer keep their order; everything else passes by.
 */
export class AppendFiller {
  readonly #init: AppendFillerInit;
  readonly #waiting = new Map<PeerId, AppendRequest[]>();

  constructor(init: AppendFillerInit) {
    this.#init = init;
  }

  send(message: RaftMessage): void {
    if (message.kind !== 'appendRequest') {
      this.#init.send(message);
      return;
    }
    const waiting = this.#waiting.get(message.to);
    if (waiting !== undefined) {
      if (waiting.length < waitingMax) waiting.push(message);
      return;
    }
    if (!this.#sendFromCache(message)) void this.#sendFromDisk(message);
  }

  #sendFromCache(message: AppendRequest): boolean {
    if (message.lastIndex === message.previousIndex) {
      this.#init.send(message);
      return true;
    }
    const entries = this.#init.cache.range(asIndex(message.previousIndex + 1), message.lastIndex);
    if (entries === null) return false;
    this.#init.send({ ...message, entries });
    return true;
  }

  async #sendFromDisk(first: AppendRequest): Promise<void> {
    const queue = [first];
    this.#waiting.set(first.to, queue);
    try {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        if (!this.#init.isCurrent(next)) break;
        if (!this.#sendFromCache(next) && !(await this.#sendRead(next))) break;
        queue.shift();
      }
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'NOT_FOUND' && code !== 'STOPPED') this.#init.onFatal(error);
    } finally {
      this.#waiting.delete(first.to);
    }
  }

  /**
   * Reads what the cache has not. Entries that are neither here nor there are not written yet: then
   * those before them go alone. False when nothing can go, or when this node leads no more, so that
   * its log may be another one. The core finds out by the peer's silence or rejection.
   */
  async #sendRead(message: AppendRequest): Promise<boolean> {
    const { cache, log, isCurrent, send } = this.#init;
    const { previousIndex, lastIndex } = message;
    const entries: Entry[] = [];
    while (previousIndex + entries.length < lastIndex) {
      const from = asIndex(previousIndex + entries.length + 1);
      const next = cache.range(from, lastIndex) ?? (await log.read(from, lastIndex, readBytes));
      if (next.length === 0) break;
      entries.push(...next);
    }
    if (entries.length === 0 || !isCurrent(message)) return false;
    send({ ...message, lastIndex: asIndex(previousIndex + entries.length), entries });
    return true;
  }
}
