import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from './cluster.ts';
import type { Daemon } from './daemon.ts';
import { mainFile } from './daemon.ts';

const linesShown = 60;
const buildMsMax = 180_000;

export interface ClusterOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another build than the usual one. */
  readonly main?: string;
}

/** Timers for tests; flags of a test come later and win. */
const briskFlags = ['--profile=local', '--logFormat=json', '--eventHold=0', '--eventInterval=0'];

/** What the tests of one `describe` start: shown when a test fails, ended after the last one. */
export class Workshop {
  readonly directory = mkdtempSync(join(tmpdir(), 'quorate-e2e-'));
  readonly #clusters: Cluster[] = [];
  #failed = false;

  /** A directory of this name below the workshop's own; not created. */
  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  /** Not started yet. */
  async cluster(nodes: number, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.create({
      directory: this.path(`cluster${this.#clusters.length + 1}`),
      nodes,
      flags: [...briskFlags, ...(options.flags ?? [])],
      env: options.env ?? {},
      ...(options.main === undefined ? {} : { main: options.main }),
    });
    this.#clusters.push(cluster);
    return cluster;
  }

  async started(nodes: number, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await this.cluster(nodes, options);
    await cluster.start();
    return cluster;
  }

  showLogs(title: string): void {
    this.#failed = true;
    console.log(`\nLogs after the failure of: ${title}; all of it stays in ${this.directory}`);
    for (const node of this.#daemons) {
      const file = `${node.dataDirectory}.log`;
      writeFileSync(file, node.output);
      const lines = node.output.trimEnd().split('\n');
      console.log(`--- ${node.id}, the last lines of ${file}`);
      console.log(lines.slice(-linesShown).join('\n'));
    }
  }

  /** No test needs an orderly end that does not ask for one. */
  async close(): Promise<void> {
    await Promise.all(this.#clusters.map((cluster) => cluster.kill()));
    if (!this.#failed) rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  get #daemons(): readonly Daemon[] {
    return this.#clusters.flatMap((cluster) => cluster.nodes);
  }
}

/** To be called in a `describe`: makes a workshop and takes it down. */
export function useWorkshop(): Workshop {
  const workshop = new Workshop();
  before(function () {
    this.timeout(buildMsMax);
    mainFile();
  });
  afterEach(function () {
    const test = this.currentTest;
    if (test?.state === 'failed') workshop.showLogs(test.fullTitle());
  });
  after(async function () {
    this.timeout(60_000);
    const tests = this.test?.parent?.tests ?? [];
    if (tests.every(({ state }) => state === undefined)) workshop.showLogs('the preparation');
    await workshop.close();
  });
  return workshop;
}
