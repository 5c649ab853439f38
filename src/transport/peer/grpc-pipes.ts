import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import type { StatusObject, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Cancel, Clock } from '../../shared/index.ts';
import { probe } from './address.ts';
import { decodeFrame } from './frame-codec.ts';
import type { Frame } from './frames.ts';
import { ProtocolError } from './inbound.ts';
import { CONNECT_TIMEOUT_MS } from './limits.ts';
import { Listener } from './listener.ts';
import type { InboundEvents, InboundPipe, OutboundEvents, OutboundPipe } from './pipes.ts';
import type { Pipes, RpcName } from './pipes.ts';
import { clientOptions, peerService, servedMethods, serverOptions } from './rpc.ts';
import { widenWindows } from './wide-windows.ts';

/** How connections are secured. */
export interface PeerCredentials {
  readonly server: ServerCredentials;
  readonly client: ChannelCredentials;
}

const plainText: PeerCredentials = {
  server: ServerCredentials.createInsecure(),
  client: credentials.createInsecure(),
};

/** Pipes over gRPC: each outbound pipe is one call on a connection of its own. */
export class GrpcPipes implements Pipes {
  readonly #clock: Clock;
  readonly #credentials: PeerCredentials;
  readonly #server = new Server(serverOptions);
  readonly #listener: Listener;

  constructor(clock: Clock, peerCredentials: PeerCredentials = plainText) {
    this.#clock = clock;
    this.#credentials = peerCredentials;
    widenWindows(this.#server);
    const injector = this.#server.createConnectionInjector(peerCredentials.server);
    this.#listener = new Listener((socket) => injector.injectConnection(socket));
  }

  dial(address: string, rpc: RpcName, events: OutboundEvents): OutboundPipe {
    const connect = (): Client => new Client(address, this.#credentials.client, clientOptions);
    return new OutboundGrpcPipe({ rpc, events, connect }, (done) =>
      probe(address, { clock: this.#clock, timeoutMs: CONNECT_TIMEOUT_MS, done }),
    );
  }

  serve(listen: string, accept: (rpc: RpcName, pipe: InboundPipe) => void): Promise<void> {
    const handlers: UntypedServiceImplementation = {};
    for (const rpc of Object.keys(peerService) as RpcName[]) {
      handlers[rpc] = (call: InboundCall) => accept(rpc, new InboundGrpcPipe(call));
    }
    this.#server.addService(servedMethods, handlers);
    return this.#listener.listen(listen);
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
    this.#server.forceShutdown();
  }
}

interface OutboundInit {
  readonly rpc: RpcName;
  readonly events: OutboundEvents;
  readonly connect: () => Client;
}

class OutboundGrpcPipe implements OutboundPipe {
  readonly #init: OutboundInit;
  #cancelProbe: Cancel;
  #client: Client | null = null;
  #call: ClientDuplexStream<Frame, Frame> | null = null;
  #isOver = false;

  constructor(init: OutboundInit, startProbe: (done: (failure: string | null) => void) => Cancel) {
    this.#init = init;
    this.#cancelProbe = startProbe((failure) => {
      if (failure === null) this.#connect();
      else this.#end(false, failure);
    });
  }

  write(frame: Frame, flushed: () => void): void {
    this.#call?.write(frame, flushed);
  }

  finish(): void {
    this.#call?.end();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelProbe();
    this.#call?.cancel();
    this.#client?.close();
  }

  #connect(): void {
    const { path, requestSerialize, responseDeserialize } = peerService[this.#init.rpc];
    this.#client = this.#init.connect();
    this.#call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#listen(this.#call);
    this.#init.events.onConnected();
  }

  #listen(call: ClientDuplexStream<Frame, Frame>): void {
    let final: StatusObject | null = null;
    const endWith = ({ code, details }: StatusObject): void =>
      this.#end(code === status.FAILED_PRECONDITION, details);
    call.on('data', (frame: Frame) => {
      if (!this.#isOver) this.#init.events.onFrame(frame);
    });
    // Each error also shows as a status.
    call.on('error', () => undefined);
    // When a good status comes, frames may still be on their way out of the stream's buffer.
    call.on('end', () => {
      if (final !== null) endWith(final);
    });
    call.on('status', (ending: StatusObject) => {
      final = ending;
      if (ending.code !== status.OK || call.readableEnded) endWith(ending);
    });
  }

  #end(refused: boolean, reason: string): void {
    if (this.#isOver) return;
    this.cancel();
    this.#init.events.onEnd({ refused, reason });
  }
}

type InboundCall = ServerDuplexStream<Uint8Array, Frame>;

class InboundGrpcPipe implements InboundPipe {
  readonly remote: string;
  readonly #call: InboundCall;
  #isPaused = false;
  /** The stream tells its end together with its last frame, also to one whom that frame pauses. */
  #heldEnd: (() => void) | null = null;

  constructor(call: InboundCall) {
    this.#call = call;
    this.remote = call.getPeer();
  }

  listen(events: InboundEvents): void {
    let isClosed = false;
    const close = (): void => {
      if (isClosed) return;
      isClosed = true;
      events.onClosed();
    };
    this.#call.on('data', (bytes: Uint8Array) => {
      if (!isClosed) tell(events, bytes);
    });
    const end = (): void => {
      if (!isClosed) events.onHalfClose();
    };
    this.#call.on('end', () => {
      if (this.#isPaused) this.#heldEnd = end;
      else end();
    });
    this.#call.on('cancelled', close);
    this.#call.on('close', close);
    this.#call.on('error', close);
  }

  write(frame: Frame, flushed: () => void): void {
    this.#call.write(frame, flushed);
  }

  pause(): void {
    this.#isPaused = true;
    this.#call.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#call.resume();
    const end = this.#heldEnd;
    this.#heldEnd = null;
    end?.();
  }

  finish(): void {
    this.#call.end();
  }

  refuse(reason: string): void {
    this.#call.emit('error', { code: status.FAILED_PRECONDITION, details: reason });
  }
}

function tell(events: InboundEvents, bytes: Uint8Array): void {
  const frame = frameOf(bytes);
  if (frame instanceof ProtocolError) events.onUnreadable(frame.message);
  else events.onFrame(frame);
}

function frameOf(bytes: Uint8Array): Frame | ProtocolError {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}
