import type { Entry, RaftMessage } from '../../raft/index.ts';
import type { PeerId } from '../../shared/index.ts';
import { decodeConfiguration, decodeRaftMessage } from '../../wire/index.ts';
import type { Frame } from './frames.ts';
import { ProtocolError } from './inbound.ts';
import type { Answering, FrameConsumer, ServerContext } from './inbound.ts';

/** Serves streams of Raft messages. */
export class InboundMessages implements FrameConsumer {
  readonly #context: ServerContext;
  readonly #from: PeerId;
  readonly #stream: Answering;

  constructor(context: ServerContext, from: PeerId, stream: Answering) {
    this.#context = context;
    this.#from = from;
    this.#stream = stream;
  }

  onFrame(frame: Frame): void {
    if (frame.body !== 'batch')
      throw new ProtocolError('a stream of messages carries batches only');
    const messages = frame.batch.messages.map((bytes) =>
      readMessage(bytes, this.#from, this.#context.identity().self),
    );
    if (messages.length > 0) this.#context.handlers.onMessages(messages);
  }

  onRoom(): void {
    // Nothing is answered on these streams.
  }

  onHalfClose(): void {
    this.#stream.end();
  }

  onClosed(): void {
    // Messages are handled as they come: nothing is left.
  }
}

/** Decodes a message that must go from `from` to `to`; throws ProtocolError. */
export function readMessage(bytes: Uint8Array, from: PeerId, to: PeerId): RaftMessage {
  const message = decode(bytes);
  if (message.from !== from) throw new ProtocolError(`it sends in the name of '${message.from}'`);
  if (message.to !== to) throw new ProtocolError(`it sends what is meant for '${message.to}'`);
  return message;
}

function decode(bytes: Uint8Array): RaftMessage {
  try {
    const message = decodeRaftMessage(bytes);
    if (message.kind === 'appendRequest') checkConfigurations(message.entries);
    return message;
  } catch (cause) {
    throw new ProtocolError('it sends a message that cannot be read', { cause });
  }
}

/** The core takes them over as they are appended, and has no way to refuse one. */
function checkConfigurations(entries: readonly Entry[]): void {
  for (const { kind, payload } of entries) {
    if (kind === 'configuration') decodeConfiguration(payload);
  }
}
