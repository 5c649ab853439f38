import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon } from '../e2e/index.ts';
import type { Network } from './network.ts';

export interface TortureNodesInit {
  readonly network: Network;
  readonly directory: string;
  readonly main: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** One of the nodes under torture: its daemon, and who is busy with it at the moment. */
export class TortureNode {
  readonly n: number;
  readonly daemon: Daemon;
  /** What the others dial for Raft. */
  readonly raft: string;
  #isReserved = false;
  #isPaused = false;

  constructor(n: number, daemon: Daemon, network: Network) {
    this.n = n;
    this.daemon = daemon;
    this.raft = network.places[n - 1]?.raft ?? '';
  }

  get id(): string {
    return this.daemon.id;
  }

  /** A fault has it for itself until it releases it. */
  get isReserved(): boolean {
    return this.#isReserved;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  reserve(): this {
    if (this.#isReserved) throw new Error(`Cannot reserve ${this.id}: it is reserved`);
    this.#isReserved = true;
    return this;
  }

  release(): void {
    this.#isReserved = false;
  }

  start(): void {
    this.daemon.start();
  }

  pause(): void {
    this.#isPaused = true;
    this.daemon.signal('SIGSTOP');
  }

  resume(): void {
    this.#isPaused = false;
    this.daemon.signal('SIGCONT');
  }
}

/** Not started yet; node1 has --bootstrap, and each knows the addresses of all. */
export function makeNodes({
  network,
  directory,
  main,
  flags,
  env,
}: TortureNodesInit): TortureNode[] {
  const { places } = network;
  const addresses = (pick: 'http' | 'gossip', except: number): string =>
    places
      .filter((_, i) => i !== except)
      .map(({ host, ports }) => `${host}:${ports[pick]}`)
      .join(',');
  return places.map((place, i) => {
    const id = `node${i + 1}`;
    const cwd = join(directory, `${id}-cwd`);
    mkdirSync(cwd, { recursive: true });
    const own = [`--join=${addresses('http', i)}`, `--gossipJoin=${addresses('gossip', i)}`];
    if (i === 0) own.push('--bootstrap');
    const daemon = new Daemon({
      id,
      cwd,
      env,
      main,
      dataDirectory: join(directory, id),
      logFile: join(directory, `${id}.log`),
      ports: place.ports,
      host: place.host,
      wrapper: place.wrapper,
      flags: [...flags, ...own, ...place.flags],
    });
    return new TortureNode(i + 1, daemon, network);
  });
}
