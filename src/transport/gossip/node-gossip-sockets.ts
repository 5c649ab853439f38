import { isIP } from 'node:net';
import { parseAddress } from '../peer/address.ts';
import { formatAddress } from './addresses.ts';
import { Datagrams } from './datagrams.ts';
import { ExchangeClient } from './exchange-client.ts';
import { ExchangeServer } from './exchange-server.ts';
import { cannotListen, unreachable } from './failures.ts';
import type { GossipSockets, GossipSocketsInit } from './gossip-sockets.ts';
import { Names } from './names.ts';
import { AeadSealing, plainSealing } from './sealing.ts';
import type { Sealing } from './sealing.ts';

/** With port 0 a port must be free for TCP and UDP at once: so many are tried. */
const FREE_PORT_TRIES = 10;

/** UDP and TCP on one address. */
export const gossipSockets = (init: GossipSocketsInit): GossipSockets =>
  new NodeGossipSockets(init);

interface Listening {
  readonly server: ExchangeServer;
  readonly datagrams: Datagrams;
  readonly address: string;
}

class NodeGossipSockets implements GossipSockets {
  readonly #init: GossipSocketsInit;
  readonly #names = new Names();
  readonly #client = new ExchangeClient(this.#names);
  readonly #sealing: Sealing;
  #listening: Listening | null = null;

  constructor(init: GossipSocketsInit) {
    this.#init = init;
    const { keys = [] } = init;
    this.#sealing = keys.length > 0 ? new AeadSealing(keys) : plainSealing;
  }

  async start(): Promise<void> {
    const { listen } = this.#init;
    try {
      const { host, port } = parseAddress(listen);
      const ip = await this.#ownIp(host);
      this.#listening = await this.#listen(ip, port);
    } catch (cause) {
      throw cannotListen(listen, cause);
    }
  }

  async stop(): Promise<void> {
    const listening = this.#listening;
    this.#listening = null;
    this.#client.close();
    await Promise.all([listening?.datagrams.close(), listening?.server.close()]);
  }

  address(): string {
    return this.#listening?.address ?? this.#init.listen;
  }

  send(to: string, bytes: Uint8Array): void {
    this.#listening?.datagrams.send(to, this.#sealing.seal(bytes));
  }

  async exchange(to: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const sealed = await this.#client.exchange(to, this.#sealing.seal(bytes), timeoutMs);
    const response = this.#sealing.open(sealed);
    if (!response) throw unreachable(to, 'its answer is not sealed with a key of this node');
    return response;
  }

  #ownIp(host: string): Promise<string> {
    if (isIP(host) !== 0) return Promise.resolve(host);
    return new Promise((resolve, reject) => {
      this.#names.resolve(host, (ip) => {
        if (ip === null) reject(new Error(`no address is known for ${host}`));
        else resolve(ip);
      });
    });
  }

  async #listen(ip: string, port: number): Promise<Listening> {
    for (let tries = 1; ; tries++)
      try {
        return await this.#listenOnce(ip, port);
      } catch (error) {
        if (port !== 0 || tries >= FREE_PORT_TRIES) throw error;
      }
  }

  async #listenOnce(ip: string, port: number): Promise<Listening> {
    const { logger, onExchange, onSendFailed } = this.#init;
    const server = new ExchangeServer({
      onExchange: (from, sealed) => this.#serve(from, sealed, onExchange),
    });
    const bound = await server.listen(ip, port);
    const datagrams = new Datagrams(ip, {
      names: this.#names,
      logger,
      onDatagram: (from, sealed) => this.#take(from, sealed),
      onSendFailed,
    });
    try {
      await datagrams.bind(ip, bound);
    } catch (error) {
      await server.close();
      throw error;
    }
    return { server, datagrams, address: formatAddress(ip, bound) };
  }

  #take(from: string, sealed: Uint8Array): void {
    const bytes = this.#sealing.open(sealed);
    if (bytes) this.#init.onDatagram(from, bytes);
  }

  #serve(
    from: string,
    sealed: Uint8Array,
    onExchange: GossipSocketsInit['onExchange'],
  ): Uint8Array | null {
    const request = this.#sealing.open(sealed);
    const response = request && onExchange(from, request);
    return response && this.#sealing.seal(response);
  }
}
