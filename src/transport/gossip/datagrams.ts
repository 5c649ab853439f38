import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Logger } from '../../shared/index.ts';
import { codeOf } from '../../shared/index.ts';
import { parseAddress } from '../peer/address.ts';
import { formatAddress, reachableAs } from './addresses.ts';
import type { Names } from './names.ts';

/** Bursts wait in the kernel while the event loop is busy. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export interface DatagramsInit {
  readonly names: Names;
  readonly logger: Logger;
  readonly onDatagram: (from: string, bytes: Uint8Array) => void;
  readonly onSendFailed: (to: string) => void;
}

/** The UDP side. Sends to literal addresses without DNS, which dgram by itself would ask each time. */
export class Datagrams {
  readonly #init: DatagramsInit;
  readonly #family: 'udp4' | 'udp6';
  readonly #socket: Socket;
  #isOpen = false;

  /** `ip` is the literal address to listen on. */
  constructor(ip: string, init: DatagramsInit) {
    this.#init = init;
    this.#family = isIPv6(ip) ? 'udp6' : 'udp4';
    this.#socket = createSocket({
      type: this.#family,
      lookup: (host, _options, done) => done(null, host, this.#family === 'udp6' ? 6 : 4),
    });
  }

  /** Rejects with what bind() says. */
  async bind(ip: string, port: number): Promise<void> {
    const socket = this.#socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address: ip, port }, () => {
        socket.removeAllListeners('error');
        resolve();
      });
    });
    this.#isOpen = true;
    this.#enlargeBuffer();
    socket.on('error', (error) => this.#init.logger.warn({ error }, 'The gossip socket failed'));
    socket.on('message', (bytes, { address, port: fromPort }) => {
      if (this.#isOpen) this.#init.onDatagram(formatAddress(address, fromPort), bytes);
    });
  }

  send(to: string, bytes: Uint8Array): void {
    if (!this.#isOpen) return;
    try {
      const { host, port } = parseAddress(to);
      this.#init.names.resolve(host, (ip) => this.#sendTo(to, { ip, port }, bytes));
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      this.#fail(to, error);
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #sendTo(to: string, target: { ip: string | null; port: number }, bytes: Uint8Array): void {
    const host = target.ip === null ? null : reachableAs(target.ip, this.#family);
    if (!this.#isOpen) return;
    if (host === null || target.port === 0) {
      this.#fail(to, `no ${this.#family} address`);
      return;
    }
    this.#socket.send(bytes, target.port, host, (error) => {
      if (error && this.#isOpen) this.#fail(to, error);
    });
  }

  #fail(to: string, error: unknown): void {
    this.#init.logger.debug({ to, error }, 'A gossip datagram could not be sent');
    this.#init.onSendFailed(to);
  }

  #enlargeBuffer(): void {
    try {
      this.#socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    } catch (error) {
      this.#init.logger.debug({ error }, 'The gossip socket keeps its small receive buffer');
    }
  }
}
