import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { freePort, freePorts } from '../e2e/index.ts';
import { linkName } from './network.ts';
import type { Link, Network, Place } from './network.ts';

const host = '127.0.0.1';
/** In the greeting that each stream begins with. */
const greeting = /node(\d+)@/;
/** It comes within the first bytes. */
const greetingBytesMax = 8 * 1024;

/**
 * For users without namespaces: all nodes on the loopback address, a proxy of ours before each
 * Raft port. It learns from the greeting who opened a connection, so it can hold back what goes in
 * one direction between two nodes until the cut is mended. HTTP and gossip pass by it.
 */
export class Proxies implements Network {
  readonly means = 'proxies of ours (Raft only)';
  readonly ownHost = host;
  readonly places: readonly Place[];
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  #cut: ReadonlySet<string> = new Set();

  private constructor(places: readonly Place[]) {
    this.places = places;
  }

  static async create(nodeCount: number): Promise<Proxies> {
    const places: Place[] = [];
    for (let n = 1; n <= nodeCount; n++) {
      const ports = await freePorts();
      const raft = `${host}:${await freePort()}`;
      places.push({ host, ports, raft, wrapper: [], flags: [`--advertiseRaft=${raft}`] });
    }
    const proxies = new Proxies(places);
    for (const [i, place] of places.entries()) await proxies.#serve(i + 1, place);
    return proxies;
  }

  cut(links: readonly Link[]): Promise<void> {
    this.#cut = new Set(links.map(linkName));
    for (const connection of this.#connections) connection.obey(this.#cut);
    return Promise.resolve();
  }

  close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const connection of this.#connections) connection.end();
    return Promise.resolve();
  }

  #serve(n: number, { raft, ports }: Place): Promise<void> {
    const server = createServer((client) => {
      const target = createConnection(ports.raft, host);
      const connection: Connection = new Connection(n, { client, target }, () =>
        this.#connections.delete(connection),
      );
      this.#connections.add(connection);
      connection.obey(this.#cut);
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(Number(raft.split(':')[1]), host, resolve);
    });
  }
}

interface Ends {
  readonly client: Socket;
  readonly target: Socket;
}

/** One connection to a node, in both directions. */
class Connection {
  readonly #to: number;
  readonly #ends: Ends;
  readonly #request: OneWay;
  readonly #answer: OneWay;
  /** Who opened it; null: it has not said so yet. */
  #from: number | null = null;
  #greeting = '';
  #cut: ReadonlySet<string> = new Set();

  constructor(to: number, ends: Ends, onEnd: () => void) {
    this.#to = to;
    this.#ends = ends;
    const { client, target } = ends;
    this.#request = new OneWay(client, target, (chunk) => this.#listen(chunk));
    this.#answer = new OneWay(target, client);
    for (const socket of [client, target]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.end();
        onEnd();
      });
    }
  }

  obey(cut: ReadonlySet<string>): void {
    this.#cut = cut;
    const from = this.#from;
    if (from === null) return;
    this.#request.isCut = cut.has(linkName({ from, to: this.#to }));
    this.#answer.isCut = cut.has(linkName({ from: this.#to, to: from }));
  }

  end(): void {
    this.#ends.client.destroy();
    this.#ends.target.destroy();
  }

  #listen(chunk: Buffer): void {
    if (this.#from !== null || this.#greeting.length > greetingBytesMax) return;
    this.#greeting += chunk.toString('latin1');
    const name = greeting.exec(this.#greeting)?.[1];
    if (name === undefined) return;
    this.#from = Number(name);
    this.obey(this.#cut);
  }
}

/** What flows from one socket to the other. */
class OneWay {
  readonly #source: Socket;
  readonly #target: Socket;
  #held: Buffer[] = [];
  #isCut = false;

  constructor(source: Socket, target: Socket, onChunk: (chunk: Buffer) => void = () => undefined) {
    this.#source = source;
    this.#target = target;
    source.on('data', (chunk: Buffer) => {
      onChunk(chunk);
      if (this.#isCut) this.#hold(chunk);
      else this.#pass(chunk);
    });
    target.on('drain', () => {
      if (!this.#isCut) source.resume();
    });
  }

  set isCut(isCut: boolean) {
    this.#isCut = isCut;
    if (isCut) return;
    for (const chunk of this.#held.splice(0)) this.#pass(chunk);
    if (!this.#target.writableNeedDrain) this.#source.resume();
  }

  /** One chunk at most: the sender's own buffers keep the rest. */
  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#source.pause();
  }

  #pass(chunk: Buffer): void {
    if (!this.#target.write(chunk)) this.#source.pause();
  }
}
