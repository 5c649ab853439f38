import { connect } from 'node:net';
import { codeOf } from '../../shared/index.ts';
import { parseAddress } from '../peer/address.ts';
import { unreachable } from './failures.ts';
import { socketLimits } from './gossip-sockets.ts';
import { MessageReader, withLengthPrefix } from './length-prefix.ts';
import type { Names } from './names.ts';

type Ending = (error: Error) => void;

/** Asks other nodes over TCP: one connection per request. */
export class ExchangeClient {
  readonly #names: Names;
  readonly #running = new Set<Ending>();

  constructor(names: Names) {
    this.#names = names;
  }

  /** Rejects with QuorateError UNREACHABLE; `timeoutMs` includes looking up the name. */
  exchange(to: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#running.size >= socketLimits.outgoingMax) {
        reject(unreachable(to, `${this.#running.size} exchanges run already`));
        return;
      }
      const exchange = new Exchange(to, bytes, (outcome) => {
        clearTimeout(timer);
        this.#running.delete(abort);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
      const abort: Ending = (error) => exchange.finish(error);
      const timer = setTimeout(
        () => abort(unreachable(to, `silent for ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#running.add(abort);
      exchange.start(this.#names);
    });
  }

  close(): void {
    for (const abort of [...this.#running]) abort(unreachable('anybody', 'this node stops'));
  }
}

class Exchange {
  readonly #to: string;
  readonly #bytes: Uint8Array;
  readonly #done: (outcome: Uint8Array | Error) => void;
  readonly #reader = new MessageReader();
  #disconnect: () => void = () => undefined;
  #isOver = false;

  constructor(to: string, bytes: Uint8Array, done: (outcome: Uint8Array | Error) => void) {
    this.#to = to;
    this.#bytes = bytes;
    this.#done = done;
  }

  start(names: Names): void {
    try {
      const { host, port } = parseAddress(this.#to);
      names.resolve(host, (ip) => {
        if (ip === null) this.finish(unreachable(this.#to, 'no address is known for its name'));
        else this.#connect(ip, port);
      });
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      this.finish(unreachable(this.#to, 'its address is not host:port', error));
    }
  }

  finish(outcome: Uint8Array | Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#disconnect();
    this.#done(outcome);
  }

  #connect(host: string, port: number): void {
    if (this.#isOver) return;
    const socket = connect({ host, port, noDelay: true });
    this.#disconnect = () => socket.destroy();
    socket.on('error', (error) => this.finish(unreachable(this.#to, error.message, error)));
    socket.on('close', () => this.finish(unreachable(this.#to, 'it closed without an answer')));
    socket.on('data', (chunk) => this.#read(chunk));
    socket.write(withLengthPrefix(this.#bytes));
  }

  #read(chunk: Buffer): void {
    try {
      const response = this.#reader.push(chunk);
      if (response) this.finish(response);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.finish(unreachable(this.#to, error.message, error));
    }
  }
}
