import { Client, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import type { Frame } from '../../../src/transport/peer/frames.ts';
import type { RpcName } from '../../../src/transport/peer/pipes.ts';
import { peerService } from '../../../src/transport/peer/rpc.ts';
import { cluster, one, two, until } from '../../contract/peer-transport-support.ts';

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
    this.#client = new Client(address, credentials.createInsecure());
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
