import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../src/shared/index.ts';
import { baselineIs, NotifyRuns, watchFlags } from '../e2e/index.ts';
import { Arena, askQuietly } from './arena.ts';
import { runCalms } from './calm.ts';
import { Client } from './client.ts';
import { checkStates, checkWatching, comeBack } from './final-checks.ts';
import { runMemberFaults } from './member-faults.ts';
import { runNetworkFaults } from './network-faults.ts';
import type { Network } from './network.ts';
import { pinBuild } from './pinned-build.ts';
import { runProcessFaults } from './process-faults.ts';
import { NotLinearizable, Registers } from './registers.ts';
import { Tally } from './tally.ts';
import { makeNodes } from './torture-node.ts';
import type { TortureNode } from './torture-node.ts';
import { startServices, toggleServices } from './watched.ts';
import type { WatchedService } from './watched.ts';

export interface TortureOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly clientCount: number;
  readonly makeNetwork: () => Promise<Network>;
  /** Ends the run early, as if the time were up. */
  readonly interrupted: AbortSignal;
  readonly print: (line: string) => void;
}

const flags = [
  '--profile=local',
  '--logFormat=json',
  '--eventHold=0',
  '--eventInterval=0',
  '--notifyTimeout=5s',
  ...watchFlags,
  '--verifyInterval=1s',
  '--verifyTimeout=5s',
];
const registersInit = { keyCount: 6, requestsPerKey: 150, leftKeysMax: 20 };
const serviceCount = 3;
const progressMs = 10_000;
const lookMs = 500;

/** One run: a cluster, clients and faults until the time is up, then the checks. */
export class Torture {
  readonly #options: TortureOptions;
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-torture-'));
  readonly #registers = new Registers(registersInit);
  readonly #tally = new Tally();
  readonly #runs = new NotifyRuns(join(this.#directory, 'runs'));
  readonly #over = new AbortController();
  #nodes: readonly TortureNode[] = [];
  #watched: readonly WatchedService[] = [];
  #network: Network | null = null;
  #startedMs = performance.now();

  constructor(options: TortureOptions) {
    this.#options = options;
  }

  /** Null when all went well, else the reason. */
  async run(): Promise<string | null> {
    try {
      await this.#prepare();
      await this.#storm();
      await this.#judge();
      return null;
    } catch (error) {
      return this.#explain(error);
    } finally {
      this.#options.print(`\n${this.#tally.table()}`);
    }
  }

  /** Ends all processes. Keeps the directory when `keep`. */
  async close(keep: boolean): Promise<void> {
    await Promise.all(this.#nodes.map(({ daemon }) => daemon.kill()));
    await Promise.all(this.#watched.map(({ service }) => service.stop()));
    await this.#network?.close();
    if (!keep) rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
    else
      this.#options.print(
        `${lastLines(this.#directory, 15)}\nLogs and data stay in ${this.#directory}`,
      );
  }

  async #prepare(): Promise<void> {
    const main = pinBuild(join(this.#directory, 'build'));
    const network = await this.#options.makeNetwork();
    this.#network = network;
    const { print, seed } = this.#options;
    const env = { ...this.#runs.env };
    this.#nodes = makeNodes({ network, directory: this.#directory, main, flags, env });
    print(
      `${this.#nodes.length} nodes, links cut by ${network.means}, seed ${seed}, in ${this.#directory}`,
    );
    for (const node of this.#nodes) node.start();
    await comeBack(this.#nodes);
    await this.#watch(network.ownHost);
  }

  async #watch(ownHost: string): Promise<void> {
    this.#watched = await startServices(serviceCount, ownHost);
    const { daemon } = this.#node(1);
    for (const { key, service } of this.#watched) await daemon.set(key, service.address);
    const keys = this.#watched.map(({ key }) => key);
    for (const node of this.#nodes) await baselineIs(node.daemon, keys, 'UP');
  }

  async #storm(): Promise<void> {
    const { minutes, seed, interrupted } = this.#options;
    const { signal } = this.#over;
    const arena = this.#arena();
    const stop = (): void => this.#over.abort();
    interrupted.addEventListener('abort', stop);
    if (interrupted.aborted) stop();
    const timer = setTimeout(stop, minutes * 60_000);
    this.#startedMs = performance.now();
    this.#tally.resetClock();
    const lanes = [
      runProcessFaults(arena, seededRandom(seed)),
      runNetworkFaults(arena, seededRandom(seed + 1_000_000)),
      runMemberFaults(arena, seededRandom(seed + 2_000_000)),
      runCalms(arena),
      toggleServices(arena, this.#watched, seededRandom(seed + 3_000_000)),
      this.#look(arena),
      this.#report(arena),
      ...this.#clients(signal).map((client) => client.run()),
    ];
    // The first failure ends all the others, which then come to their end.
    const ends = lanes.map((lane) =>
      lane.catch((error: unknown) => {
        stop();
        throw error;
      }),
    );
    const results = await Promise.allSettled(ends);
    clearTimeout(timer);
    this.#tally.endClock();
    interrupted.removeEventListener('abort', stop);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #clients(signal: AbortSignal): Client[] {
    const { clientCount, seed } = this.#options;
    return Array.from({ length: clientCount }, (_, i) => {
      const all = this.#nodes.map(({ daemon }) => daemon.http);
      const home = i % all.length;
      const nodes = [...all.slice(home), ...all.slice(0, home)];
      const random = seededRandom(seed + 4_000_000 + i);
      // Every node is the home of clients of both kinds.
      const isNumbered = Math.floor(i / all.length) % 2 === 1;
      const [registers, tally] = [this.#registers, this.#tally];
      return new Client({ name: `c${i + 1}`, nodes, isNumbered, registers, tally, random, signal });
    });
  }

  async #judge(): Promise<void> {
    const { print } = this.#options;
    print(`${this.#clock()} the faults are over`);
    await comeBack(this.#nodes);
    print(`${this.#clock()} all nodes serve`);
    await checkStates(this.#nodes, this.#registers);
    const { keyCount, checkedOperationCount } = this.#registers;
    print(
      `${this.#clock()} all nodes hold the same; ${checkedOperationCount} answers for ${keyCount} keys are linearizable`,
    );
    const eventCount = await checkWatching(this.#nodes, this.#watched, this.#runs);
    const stopCount = this.#watched.reduce((sum, one) => sum + one.stopCount, 0);
    const ran = this.#runs.all().length;
    print(
      `${this.#clock()} ${eventCount} events of ${this.#watched.length} services that were stopped ${stopCount} times, none twice; scripts ran ${ran} times`,
    );
    this.#demandAlive();
  }

  /** Follows who leads, and that no daemon ends by itself. */
  async #look(arena: Arena): Promise<void> {
    while (!arena.isOver()) {
      await arena.rest(lookMs);
      this.#demandAlive();
      const leader = await arena.leader();
      if (leader === null) continue;
      const metrics = await askQuietly(leader, '/metrics');
      const term = Number(/^quorate_raft_term (\d+)/m.exec(metrics ?? '')?.[1] ?? 0);
      if (leader.id !== this.#tally.leader && term > 0)
        arena.note(`${leader.id} leads in term ${term}`);
      if (term > 0) this.#tally.leads(leader.id, term);
    }
  }

  #demandAlive(): void {
    for (const { id, daemon, isReserved } of this.#nodes) {
      if (daemon.isRunning || isReserved) continue;
      throw new Error(`${id} has ended by itself: see ${daemon.dataDirectory}.log`);
    }
  }

  async #report(arena: Arena): Promise<void> {
    const { print } = this.#options;
    let before = 0;
    let atMs = performance.now();
    while (!arena.isOver()) {
      await arena.rest(progressMs);
      const { okCount, faultCount, leader } = this.#tally;
      const perSecond = ((okCount - before) * 1000) / (performance.now() - atMs);
      print(
        `${this.#clock()} ${perSecond.toFixed(0)} requests/s, ${faultCount} faults, leader ${leader}`,
      );
      [before, atMs] = [okCount, performance.now()];
    }
  }

  #arena(): Arena {
    if (this.#network === null) throw new Error('There is no network yet');
    const diary = join(this.#directory, 'diary.log');
    return new Arena({
      network: this.#network,
      nodes: this.#nodes,
      tally: this.#tally,
      signal: this.#over.signal,
      note: (line) =>
        appendFileSync(diary, `${new Date().toISOString()} ${this.#clock()} ${line}\n`),
    });
  }

  #explain(error: unknown): string {
    if (error instanceof NotLinearizable) {
      const file = join(this.#directory, 'history.json');
      writeFileSync(file, JSON.stringify(this.#registers.historyOf(error.key), null, 1));
      return `${error.message}\nAll requests for the key: ${file}`;
    }
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }

  #clock(): string {
    return `${((performance.now() - this.#startedMs) / 1000).toFixed(1).padStart(7)} s`;
  }

  #node(n: number): TortureNode {
    const found = this.#nodes[n - 1];
    if (found === undefined) throw new Error(`Cannot use node${n}: there is none`);
    return found;
  }
}

/** For a person: the last lines of each file that a failed run has left. */
function lastLines(directory: string, count: number): string {
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'));
  return names
    .map((name) => {
      const lines = readFileSync(join(directory, name), 'utf8').trimEnd().split('\n');
      return `--- ${name}\n${lines.slice(-count).join('\n')}`;
    })
    .join('\n');
}
