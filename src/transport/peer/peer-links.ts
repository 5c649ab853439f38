import type { RaftMessage } from '../../raft/index.ts';
import type { PeerId } from '../../shared/index.ts';
import { CallLane } from './call-lane.ts';
import { APPEND_QUEUE, CONTROL_QUEUE } from './limits.ts';
import type { LinkContext } from './link.ts';
import { MessageLane } from './message-lane.ts';
import type { PeerLinkStatus } from './peer-transport.ts';

/**
 * The standing streams to one peer. Each has a connection of its own: bulk in one of them then
 * waits in its own socket, and a heartbeat never stands behind an append.
 */
export class PeerLinks {
  readonly address: string;
  readonly #peer: PeerId;
  readonly #control: MessageLane;
  readonly #appends: MessageLane;
  readonly #calls: CallLane;

  constructor(context: LinkContext, peer: PeerId, address: string) {
    this.#peer = peer;
    this.address = address;
    const target = { peer, address };
    this.#control = new MessageLane({
      context,
      target: { ...target, rpc: 'Control' },
      bounds: CONTROL_QUEUE,
    });
    this.#appends = new MessageLane({
      context,
      target: { ...target, rpc: 'Append' },
      bounds: APPEND_QUEUE,
    });
    this.#calls = new CallLane(context, { ...target, rpc: 'Calls' });
  }

  send(message: RaftMessage): void {
    if (message.kind === 'appendRequest') this.#appends.send(message);
    else this.#control.send(message);
  }

  call(method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return this.#calls.call(method, body, timeoutMs);
  }

  status(): PeerLinkStatus {
    const lanes = [this.#control, this.#appends, this.#calls];
    return {
      peer: this.#peer,
      address: this.address,
      connected: lanes.every((lane) => lane.isOpen),
      droppedMessages: this.#control.droppedCount + this.#appends.droppedCount,
    };
  }

  /** The peer has shown that it is up: what is not connected dials at once. */
  hurry(): void {
    this.#control.hurry();
    this.#appends.hurry();
    this.#calls.hurry();
  }

  close(): void {
    this.#control.close();
    this.#appends.close();
    this.#calls.close();
  }
}
