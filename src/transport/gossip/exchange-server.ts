import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { formatAddress } from './addresses.ts';
import { socketLimits } from './gossip-sockets.ts';
import { MessageReader, withLengthPrefix } from './length-prefix.ts';

export interface ExchangeServerInit {
  /** The answer to a request; null: close. */
  readonly onExchange: (from: string, bytes: Uint8Array) => Uint8Array | null;
  readonly timeoutMs?: number;
}

/** Answers one request per TCP connection; whoever is slow, or says too much, is cut. */
export class ExchangeServer {
  readonly #init: ExchangeServerInit;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(init: ExchangeServerInit) {
    this.#init = init;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    this.#server.maxConnections = socketLimits.incomingMax;
  }

  /** Returns the port. Rejects with what listen() says. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.removeListener('error', reject);
        // Accepting may fail for want of file handles: the caller tries again.
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    const reader = new MessageReader();
    const timeoutMs = this.#init.timeoutMs ?? socketLimits.incomingMs;
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    socket.on('data', (chunk) => {
      const request = readOrNull(reader, chunk, socket);
      if (request) this.#answer(socket, request);
    });
  }

  #answer(socket: Socket, request: Uint8Array): void {
    socket.pause();
    socket.removeAllListeners('data');
    const from = formatAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    const response = this.#init.onExchange(from, request);
    if (response && response.length <= socketLimits.exchangeBytesMax) {
      socket.end(withLengthPrefix(response));
      socket.resume();
    } else socket.destroy();
  }
}

function readOrNull(reader: MessageReader, chunk: Buffer, socket: Socket): Uint8Array | null {
  try {
    return reader.push(chunk);
  } catch {
    socket.destroy();
    return null;
  }
}
