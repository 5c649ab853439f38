import type { RaftMessage } from '../../raft/index.ts';
import { encodeRaftMessage } from '../../wire/index.ts';
import { BoundedQueue } from './bounded-queue.ts';
import type { QueueBounds } from './bounded-queue.ts';
import { BODY_BYTES_MAX, GATHER_BYTES_MAX, GATHER_ITEMS_MAX } from './limits.ts';
import { Link } from './link.ts';
import type { LinkContext, LinkTarget } from './link.ts';

/** About what a message without entries takes. */
const HEAD_BYTES = 96;
const ENTRY_HEAD_BYTES = 32;

interface LaneInit {
  readonly context: LinkContext;
  readonly target: LinkTarget;
  readonly bounds: QueueBounds;
}

/**
 * Raft messages on their way to one peer. Those sent in one turn of the event loop share a
 * frame. Appends that wait when the link breaks are dropped: the peer will ask from elsewhere.
 */
export class MessageLane {
  readonly #context: LinkContext;
  readonly #target: LinkTarget;
  readonly #queue: BoundedQueue<RaftMessage>;
  readonly #link: Link;
  #isFlushPlanned = false;
  #droppedCount = 0;

  constructor(init: LaneInit) {
    this.#context = init.context;
    this.#target = init.target;
    this.#queue = new BoundedQueue(init.bounds);
    this.#link = new Link(init.context, init.target, {
      onRoom: () => this.#flush(),
      onFrame: () => undefined,
      onDown: () => {
        if (init.bounds.drop === 'newest') this.#droppedCount += this.#queue.clear();
      },
    });
  }

  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  send(message: RaftMessage): void {
    this.#droppedCount += this.#queue.push(message, sizeOf(message));
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    queueMicrotask(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  /** See Link. */
  hurry(): void {
    this.#link.hurry();
  }

  close(): void {
    this.#link.close();
    this.#queue.clear();
  }

  #flush(): void {
    while (this.#queue.length > 0 && this.#link.hasRoom) {
      const messages: Uint8Array[] = [];
      let bytes = 0;
      for (const message of this.#queue.take(GATHER_ITEMS_MAX, GATHER_BYTES_MAX)) {
        const encoded = this.#encode(message);
        if (encoded === null) continue;
        messages.push(encoded);
        bytes += encoded.length;
      }
      if (messages.length > 0) this.#link.write({ body: 'batch', batch: { messages } }, bytes);
    }
  }

  #encode(message: RaftMessage): Uint8Array | null {
    const encoded = encodeRaftMessage(message);
    if (encoded.length <= BODY_BYTES_MAX) return encoded;
    this.#droppedCount++;
    const { logger, logGate } = this.#context;
    const fields = { peer: this.#target.peer, kind: message.kind, bytes: encoded.length };
    if (logGate.passes('too large')) {
      logger.error(fields, `Cannot send ${message.kind} to ${fields.peer}: it is too large`);
    }
    return null;
  }
}

function sizeOf(message: RaftMessage): number {
  if (message.kind !== 'appendRequest') return HEAD_BYTES;
  let bytes = HEAD_BYTES;
  for (const entry of message.entries) bytes += ENTRY_HEAD_BYTES + entry.payload.length;
  return bytes;
}
