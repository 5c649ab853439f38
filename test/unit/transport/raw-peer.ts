import { expect } from 'chai';
import { Client, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { fromUtf8, utf8 } from '../../../src/shared/index.ts';
import { createGrpcPeerTransport } from '../../../src/transport/index.ts';
import type { Frame } from '../../../src/transport/peer/frames.ts';
import type { RpcName } from '../../../src/transport/peer/pipes.ts';
import { peerService } from '../../../src/transport/peer/rpc.ts';
import {
  cluster,
  freeAddress,
  one,
  TestNodes,
  two,
  until,
} from '../../contract/peer-transport-support.ts';
import type { TestNode } from '../../contract/peer-transport-support.ts';

const patienceMs = 8000;

/** Of a fellow: it is let in. */
export const hello: Frame & { readonly body: 'hello' } = {
  body: 'hello',
  hello: { version: 1, cluster, from: two, to: one, address: 'b:1' },
};

/** A client that says whatever a test wants, also what is no frame. */
export class RawPeer {
  readonly frames: Frame[] = [];
  ending: StatusObject | null = null;
  readonly call: ClientDuplexStream<Frame | Buffer, Frame>;
  readonly #client: Client;

  constructor(address: string, rpc: RpcName) {
    const { path, requestSerialize, responseDeserialize } = peerService[rpc];
    const bytesOf = (said: Frame | Buffer): Buffer =>
      Buffer.isBuffer(said) ? said : requestSerialize(said);
    // One stream a connection, as peers do.
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    this.#client = new Client(address, credentials.createInsecure(), options);
    this.call = this.#client.makeBidiStreamRequest(path, bytesOf, responseDeserialize);
    this.call.on('data', (frame: Frame) => this.frames.push(frame));
    this.call.on('error', () => undefined);
    this.call.on('status', (ending: StatusObject) => (this.ending = ending));
  }

  close(): void {
    this.call.cancel();
    this.#client.close();
  }

  async end(): Promise<string> {
    await until('the end', () => this.ending !== null);
    return this.ending?.details ?? '';
  }
}

/** Nodes, and whoever dials them and says what he wants. */
export class Strangers {
  readonly nodes = new TestNodes(createGrpcPeerTransport);
  readonly #open: { close: () => void }[] = [];

  closeAtEnd(thing: { close: () => void }): void {
    this.#open.push(thing);
  }

  dial(node: TestNode, rpc: RpcName): RawPeer {
    const peer = new RawPeer(node.address, rpc);
    this.closeAtEnd(peer);
    return peer;
  }

  async expectUntouchedAndServing(node: TestNode): Promise<void> {
    expect(node.received.messages).to.be.empty;
    expect(node.received.calls).to.be.empty;
    const friend = await this.nodes.start(two, await freeAddress());
    friend.transport.setPeers(new Map([[one, node.address]]));
    const answer = await friend.transport.call(one, 'propose', utf8('still'), patienceMs);
    expect(fromUtf8(answer)).to.equal('still');
  }

  async end(): Promise<void> {
    for (const thing of this.#open) thing.close();
    await this.nodes.stopAll();
  }
}
