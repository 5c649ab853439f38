import { asPeerId, QuorateError } from '../../shared/index.ts';
import type { Hello } from './frames.ts';
import { fellowOf, isOutdated, peerRefusalOf, strangerRefusalOf } from './identity.ts';
import { InboundCalls } from './inbound-calls.ts';
import { InboundMessages } from './inbound-messages.ts';
import { InboundSnapshot } from './inbound-snapshot.ts';
import type { SnapshotTurns } from './inbound-snapshot.ts';
import { InboundStream } from './inbound-stream.ts';
import type { StreamHost } from './inbound-stream.ts';
import type { FrameConsumer, ServerContext } from './inbound.ts';
import { ADDRESS_STREAMS_MAX } from './limits.ts';
import { HANDSHAKE } from './peer-transport.ts';
import type { CallMethod } from './peer-transport.ts';
import type { InboundPipe, RpcName } from './pipes.ts';

type PeerRpc = Exclude<RpcName, 'CallAddress'>;

/** Serves what peers dial. A stream gets no further than its hello unless it belongs here. */
export class PeerServer {
  readonly #context: ServerContext;
  /** The one stream of each kind per peer: a newer one takes the place of a half-dead one. */
  readonly #streams = new Map<string, InboundStream>();
  readonly #snapshotTurns: SnapshotTurns = new Map();
  #addressStreamCount = 0;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  accept(rpc: RpcName, pipe: InboundPipe): void {
    const host = rpc === 'CallAddress' ? this.#strangerHost() : this.#peerHost(rpc);
    new InboundStream(this.#context, pipe, host);
  }

  #peerHost(rpc: PeerRpc): StreamHost {
    const keyOf = (hello: Hello): string => `${rpc} ${hello.from}`;
    return {
      refusalOf: (hello) => peerRefusalOf(hello, this.#context.identity()),
      isOutdated: (hello) => isOutdated(hello, this.#context.identity()),
      accept: (hello, stream) => {
        this.#streams.get(keyOf(hello))?.refuse('a newer stream took its place');
        this.#streams.set(keyOf(hello), stream);
        this.#context.onGreeted(asPeerId(hello.from));
        return this.#consumer(rpc, hello, stream);
      },
      closed: (hello, stream) => {
        if (this.#streams.get(keyOf(hello)) === stream) this.#streams.delete(keyOf(hello));
      },
    };
  }

  #consumer(rpc: PeerRpc, hello: Hello, stream: InboundStream): FrameConsumer {
    const context = this.#context;
    const from = asPeerId(hello.from);
    switch (rpc) {
      case 'Control':
      case 'Append':
        return new InboundMessages(context, from, stream);
      case 'Calls':
        return new InboundCalls(context, stream, (method, body) =>
          context.handlers.onCall(from, method, body),
        );
      case 'Snapshot':
        return new InboundSnapshot({ context, from, stream, turns: this.#snapshotTurns });
    }
  }

  /** Whoever dialled an address and does not know yet who serves there. */
  #strangerHost(): StreamHost {
    return {
      refusalOf: (hello) => {
        if (this.#addressStreamCount >= ADDRESS_STREAMS_MAX) return 'too many ask at once';
        return strangerRefusalOf(hello);
      },
      isOutdated: () => false,
      accept: (hello, stream) => {
        this.#addressStreamCount++;
        return new InboundCalls(this.#context, stream, (method, body) =>
          this.#onStrangerCall(hello, method, body),
        );
      },
      closed: () => {
        this.#addressStreamCount--;
      },
    };
  }

  /** A handshake is for finding out, so anyone may ask for one. */
  async #onStrangerCall(hello: Hello, method: CallMethod, body: Uint8Array): Promise<Uint8Array> {
    const identity = this.#context.identity();
    const from = fellowOf(hello, identity);
    if (from === null && method !== HANDSHAKE) {
      const cannot = `Cannot call '${method}' as '${hello.from}'`;
      if (identity.clusterId === null) {
        throw new QuorateError('UNREACHABLE', `${cannot}: this node has not joined a cluster yet`);
      }
      if (hello.cluster !== '') {
        throw new QuorateError('CONFLICT', `${cannot}: it belongs to cluster '${hello.cluster}'`);
      }
    }
    return this.#context.handlers.onCall(from, method, body);
  }
}
