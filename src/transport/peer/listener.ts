import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { QuorateError } from '../../shared/index.ts';
import { parseAddress } from './address.ts';
import { CONNECTIONS_MAX } from './limits.ts';

const words: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address in use',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
  EACCES: 'not permitted',
  ENOTFOUND: 'the host name is not known',
};

/**
 * Accepts connections and can cut them all: a gRPC server with its bookkeeping switched off
 * leaves them standing when it is shut down.
 */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(take: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      take(socket);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Rejects with CONFIG_INVALID, or PARAM_INVALID when `address` is not host:port. */
  listen(address: string): Promise<void> {
    const target = parseAddress(address);
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const found = words[cause.code ?? ''] ?? cause.message;
        const message = `Cannot listen as --raft ${address}: ${found}`;
        reject(new QuorateError('CONFIG_INVALID', message, { cause }));
      });
      this.#server.listen(target, resolve);
    });
  }

  /** Resolves when nothing of it is left. May be called twice, and without `listen`. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}
