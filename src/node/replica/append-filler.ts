import type { AppendRequest, Entry, LogStore, RaftMessage } from '../../raft/index.ts';
import type { Logger, PeerId } from '../../shared/index.ts';
import { asIndex } from '../../shared/index.ts';
import type { EntryCache } from './entry-cache.ts';

/** Messages that may wait behind one peer's disk read; more are dropped, as a network would. */
const waitingMax = 64;

export interface AppendFillerInit {
  readonly cache: EntryCache;
  readonly log: LogStore;
  readonly logger: Logger;
  readonly send: (message: RaftMessage) => void;
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
        if (!this.#sendFromCache(next)) this.#init.send(await this.#fill(next));
        queue.shift();
      }
    } catch (error) {
      // The range was cut away meanwhile: the core finds out by the peer's silence or rejection.
      this.#init.logger.debug({ peer: first.to, error }, 'Dropped an append to a peer');
    } finally {
      this.#waiting.delete(first.to);
    }
  }

  async #fill(message: AppendRequest): Promise<AppendRequest> {
    const entries: Entry[] = [];
    let from = asIndex(message.previousIndex + 1);
    while (from <= message.lastIndex) {
      const read = await this.#init.log.read(from, message.lastIndex, 4 * 1024 * 1024);
      entries.push(...read);
      from = asIndex(from + read.length);
    }
    return { ...message, entries };
  }
}
