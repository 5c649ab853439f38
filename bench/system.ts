import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ServerProcess } from './child.ts';

/** What a client asks for. */
export type Kind = 'write' | 'linearizable read' | 'local read';

/** A read asks for the key only. */
export interface Pair {
  readonly key: string;
  readonly value: string;
}

export interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string;
}

/** One server of a cluster: how to start it and where its clients go. */
export interface Server {
  readonly command: readonly string[];
  /** host:port */
  readonly http: string;
  /** Where its data is. */
  readonly directory: string;
}

/** How to run and to ask one kind of store. */
export interface Product {
  readonly name: string;
  /** Ports that each server needs. */
  readonly portsPerServer: number;
  servers(ports: readonly (readonly number[])[], directory: string): readonly Server[];
  request(kind: Kind, pair: Pair): Request;
  /** Whether this server can take requests. */
  isReady(http: string): Promise<boolean>;
  /** Address of the leader as this server sees it; null when it knows none. */
  leaderOf(http: string): Promise<string | null>;
}

const readyWithinMs = 30_000;
export const serverCount = 3;

/** Three servers of one product on this machine. */
export class Cluster {
  readonly product: Product;
  readonly #servers: readonly Server[];
  readonly #processes = new Map<Server, ServerProcess>();
  readonly #directory: string;

  private constructor(product: Product, servers: readonly Server[], directory: string) {
    this.product = product;
    this.#servers = servers;
    this.#directory = directory;
  }

  /** Starts it with empty data and waits until every server is ready. */
  static async start(product: Product, directory: string): Promise<Cluster> {
    mkdirSync(directory, { recursive: true });
    const ports: number[][] = [];
    for (let i = 0; i < serverCount; i++) ports.push(await freePorts(product.portsPerServer));
    const cluster = new Cluster(product, product.servers(ports, directory), directory);
    for (const server of cluster.#servers) cluster.#launch(server);
    await cluster.untilReady();
    return cluster;
  }

  get addresses(): readonly string[] {
    return this.#servers.map(({ http }) => http);
  }

  get pids(): readonly number[] {
    return [...this.#processes.values()].map(({ pid }) => pid);
  }

  async leader(): Promise<string> {
    const { product, addresses } = this;
    const known: string[] = [];
    await this.#until('has a leader', async () => {
      const leaders = await Promise.all(addresses.map((http) => product.leaderOf(http)));
      known.push(...leaders.filter((one) => one !== null));
      return known.length > 0;
    });
    return known[0] ?? '';
  }

  /** kill -9 of the server at this address. Resolves at once. */
  kill(http: string): void {
    void this.#processAt(http).kill();
  }

  pidOf(http: string): number {
    return this.#processAt(http).pid;
  }

  /** Throws with the end of its log when a server has ended by itself. */
  assertAlive(): void {
    for (const process of this.#processes.values()) process.assertAlive();
  }

  /** The server stands still for so long, all its threads. */
  async stall(http: string, forMs: number): Promise<void> {
    const pid = this.pidOf(http);
    process.kill(pid, 'SIGSTOP');
    await pause(forMs);
    process.kill(pid, 'SIGCONT');
  }

  /** kill -9, its data gone, and started anew; does not wait until it is ready. */
  async wipe(http: string): Promise<void> {
    const server = this.#serverAt(http);
    await this.#processAt(http).kill();
    rmSync(server.directory, { recursive: true, force: true });
    this.#launch(server);
  }

  async restart(http: string): Promise<void> {
    await this.#processAt(http).kill();
    this.#launch(this.#serverAt(http));
    await this.untilReady();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((one) => one.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** All servers are ready and see the same leader. */
  untilReady(): Promise<void> {
    return this.#until('is ready', async () => {
      const { product, addresses } = this;
      const ready = await Promise.all(addresses.map((http) => product.isReady(http)));
      const leaders = await Promise.all(addresses.map((http) => product.leaderOf(http)));
      const [first = null] = leaders;
      return ready.every(Boolean) && first !== null && leaders.every((one) => one === first);
    });
  }

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + readyWithinMs;
    while (!(await condition())) {
      this.assertAlive();
      if (performance.now() > deadlineMs) {
        throw new Error(`Cannot wait until ${this.product.name} ${what}: it takes too long`);
      }
      await pause(50);
    }
  }

  #launch(server: Server): void {
    const logPath = `${this.#directory}/${this.#servers.indexOf(server)}.log`;
    this.#processes.set(server, new ServerProcess(server.command, logPath));
  }

  #processAt(http: string): ServerProcess {
    const found = this.#processes.get(this.#serverAt(http));
    if (found === undefined) throw new Error(`Cannot find a process at ${http}`);
    return found;
  }

  #serverAt(http: string): Server {
    const server = this.#servers.find((one) => one.http === http);
    if (server === undefined) throw new Error(`Cannot find a server at ${http}`);
    return server;
  }
}

/** The answer, or null when the server cannot be reached in time. */
export async function ask(
  http: string,
  { method, path, body }: Request,
  signal = AbortSignal.timeout(2000),
): Promise<{ status: number; text: string; headers: Headers } | null> {
  try {
    const options = method === 'POST' ? { method, body, signal } : { method, signal };
    const response = await fetch(`http://${http}${path}`, options);
    return { status: response.status, text: await response.text(), headers: response.headers };
  } catch {
    return null;
  }
}

export const get = (path: string): Request => ({ method: 'GET', path, body: '' });

let nextPort = 21_000 + Math.floor(Math.random() * 8000);

/** Below the range that the system hands out by itself. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = nextPort++;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
