import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonPorts } from './daemon.ts';
import { Daemon } from './daemon.ts';
import { freePort } from './ports.ts';
import { waitFor } from './wait-for.ts';

export interface Member {
  readonly id: string;
  readonly incarnation: string;
  readonly role: 'leader' | 'voter' | 'learner' | 'observer';
  readonly zone: string;
  readonly addresses: { readonly http: string; readonly raft: string; readonly gossip: string };
  readonly matchIndex: number | null;
  readonly lastContactMs: number | null;
}

export interface ClusterInit {
  readonly directory: string;
  readonly nodes: number;
  /** For every node. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Another build than the usual one. */
  readonly main?: string;
}

export const freePorts = async (): Promise<DaemonPorts> => ({
  http: await freePort(),
  raft: await freePort(),
  gossip: await freePort(),
});

const firstStartMsMax = 90_000;

/** Nodes node1..nodeN that know each other's addresses; node1 has --bootstrap. */
export class Cluster {
  readonly #init: ClusterInit;
  readonly nodes: Daemon[] = [];

  private constructor(init: ClusterInit) {
    this.#init = init;
  }

  static async create(init: ClusterInit): Promise<Cluster> {
    const cluster = new Cluster(init);
    const ports: DaemonPorts[] = [];
    for (let i = 0; i < init.nodes; i++) ports.push(await freePorts());
    for (const [i, own] of ports.entries()) {
      const others = ports.filter((one) => one !== own);
      const join = others.map(({ http }) => `127.0.0.1:${http}`).join(',');
      const gossipJoin = others.map(({ gossip }) => `127.0.0.1:${gossip}`).join(',');
      const flags = [`--join=${join}`, `--gossipJoin=${gossipJoin}`];
      if (i === 0) flags.push('--bootstrap');
      cluster.add(`node${i + 1}`, own, flags);
    }
    return cluster;
  }

  /** A further node, not started. */
  add(id: string, ports: DaemonPorts, flags: readonly string[]): Daemon {
    const { directory, env, main } = this.#init;
    const cwd = join(directory, `${id}-cwd`);
    mkdirSync(cwd, { recursive: true });
    const dataDirectory = join(directory, id);
    const daemon = new Daemon({
      id,
      dataDirectory,
      cwd,
      ports,
      flags: [...this.#init.flags, ...flags],
      env,
      ...(main === undefined ? {} : { main }),
    });
    this.nodes.push(daemon);
    return daemon;
  }

  /** The flags with which a further node finds this cluster. */
  get joinFlags(): string[] {
    const join = this.nodes.map(({ http }) => http).join(',');
    const gossipJoin = this.nodes.map(({ gossip }) => gossip).join(',');
    return [`--join=${join}`, `--gossipJoin=${gossipJoin}`];
  }

  get running(): readonly Daemon[] {
    return this.nodes.filter((node) => node.isRunning);
  }

  /** node(1) is node1. */
  node(n: number): Daemon {
    const found = this.nodes[n - 1];
    if (found === undefined) throw new Error(`Cannot use node${n}: there is none`);
    return found;
  }

  /** Starts all that do not run and waits until all of them serve. */
  async start(): Promise<void> {
    for (const node of this.nodes) if (!node.isRunning) node.start();
    await this.settled();
  }

  /** Waits until every running node is ready, a full member, and they agree on who is there. */
  async settled(): Promise<void> {
    const { running } = this;
    const ids = running.map(({ id }) => id).sort();
    await waitFor(
      `${ids.join(', ')} serve as members`,
      async () => {
        for (const node of running) {
          if (!(await node.isReady())) return false;
          const members = await node.json<Member[]>('/members');
          const full = members.filter(({ role }) => role !== 'learner').map(({ id }) => id);
          if (!ids.every((id) => full.includes(id))) return false;
        }
        await this.leader();
        return true;
      },
      firstStartMsMax,
    );
  }

  /** The running node that all running nodes (or those given) call their leader. */
  leader(among: readonly Daemon[] = this.running): Promise<Daemon> {
    return waitFor('all nodes name the same leader', async () => {
      const named = new Set<string>();
      for (const node of among) {
        const { status, text } = await node.ask('/leader');
        named.add(status === 200 ? text.trim() : '');
      }
      return named.size === 1 && among.find(({ raft }) => named.has(raft));
    });
  }

  async followers(): Promise<Daemon[]> {
    const leader = await this.leader();
    return this.running.filter((node) => node !== leader);
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.map((node) => node.stop()));
  }

  async kill(): Promise<void> {
    await Promise.all(this.running.map((node) => node.kill()));
  }
}
