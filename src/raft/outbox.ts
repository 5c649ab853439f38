import type { LogIndex, PeerId } from '../shared/index.ts';
import type { RaftMessage } from './message-types.ts';
import type { RaftOutput, RefusalReason, Reply, Tag } from './step-types.ts';
import type { IndexedConfiguration, LogBase, PersistBatch } from './types.ts';

/** Gathers what one step wants done. */
export class Outbox {
  readonly messagesNow: RaftMessage[] = [];
  readonly messagesAfterPersist: RaftMessage[] = [];
  readonly replies: Reply[] = [];
  readonly sendSnapshots: PeerId[] = [];
  installSnapshot: LogBase | null = null;
  dropSnapshot = false;
  configuration: IndexedConfiguration | null = null;

  /** For what may leave before anything is durable: appends, heartbeats, pre-votes, reads. */
  now(message: RaftMessage): void {
    this.messagesNow.push(message);
  }

  /** For what promises something: it leaves when all that came before it is durable. */
  afterPersist(message: RaftMessage): void {
    this.messagesAfterPersist.push(message);
  }

  reply(reply: Reply): void {
    this.replies.push(reply);
  }

  refuse(tag: Tag, reason: RefusalReason, leader: PeerId | null, message: string): void {
    this.replies.push({ kind: 'refused', tag, reason, leader, message });
  }

  close(rest: {
    readonly persist: PersistBatch | null;
    readonly afterSequence: number;
    readonly commitIndex: LogIndex | null;
    readonly change: RaftOutput['change'];
  }): RaftOutput {
    return {
      // Spelled out: a spread here would cost more than the rest of most steps.
      persist: rest.persist,
      afterSequence: rest.afterSequence,
      commitIndex: rest.commitIndex,
      change: rest.change,
      messagesNow: this.messagesNow,
      messagesAfterPersist: this.messagesAfterPersist,
      replies: this.replies,
      configuration: this.configuration,
      sendSnapshots: this.sendSnapshots,
      installSnapshot: this.installSnapshot,
      dropSnapshot: this.dropSnapshot,
    };
  }
}
