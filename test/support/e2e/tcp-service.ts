import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** A service that can be stopped and started at the same port. */
export class TcpService {
  readonly #port: number;
  readonly #host: string;
  readonly #connections = new Set<Socket>();
  #server: Server | null = null;

  constructor(port: number, host = '127.0.0.1') {
    this.#port = port;
    this.#host = host;
  }

  get address(): string {
    return `${this.#host}:${this.#port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer((connection) => {
        this.#connections.add(connection);
        connection.on('error', () => undefined);
        connection.once('close', () => this.#connections.delete(connection));
      });
      this.#server = server;
      server.once('error', reject);
      server.listen(this.#port, this.#host, () => resolve());
    });
  }

  stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const connection of this.#connections) connection.destroy();
    return new Promise((resolve) => {
      if (server === null) resolve();
      else server.close(() => resolve());
    });
  }
}
