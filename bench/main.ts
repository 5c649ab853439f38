/**
 * Speed and memory of a cluster of three processes on this machine: `npm run bench`. It measures
 * and tells; it ends with 1 when a mark is missed.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { measureBig } from './big.ts';
import { measureFailover } from './failover.ts';
import {
  failoverName,
  failoverP50Name,
  failoverP99Name,
  Figures,
  idleMemoryName,
  loadedMemoryName,
  loadName,
} from './figures.ts';
import { requestFile, runLoad } from './load.ts';
import { cpuSecondsOf, largestNodeMb, measureMemory } from './processes.ts';
import { parseOptions, projectRoot, usage } from './options.ts';
import type { Options } from './options.ts';
import { etcd, quorate } from './products.ts';
import { report } from './report.ts';
import { measureSoak } from './soak.ts';
import { percentile } from './statistics.ts';
import { Cluster } from './system.ts';
import type { Kind, Product } from './system.ts';
import { tell } from './tell.ts';

const system = 'quorate';
/** The code of a node gets faster for the first 8 to 10 s of load. */
const fillSeconds = 20;
/** Fewer say nothing about the slowest of a hundred. */
const failoversForPercentiles = 100;

/** What one run holds together. */
interface Run {
  readonly options: Options;
  readonly products: readonly Product[];
  readonly figures: Figures;
  readonly directory: string;
}

async function main(options: Options): Promise<void> {
  execFileSync(process.execPath, [`${projectRoot}scripts/setup.mjs`], { stdio: 'inherit' });
  // Beside the checkout's own data: on the disk that is meant to be measured.
  mkdirSync(`${projectRoot}.data`, { recursive: true });
  const directory = mkdtempSync(`${projectRoot}.data/bench-`);
  const run = { options, products: productsOf(options), figures: new Figures(), directory };
  try {
    await measure(run);
    process.exitCode = report(run.figures.all(), system, options) ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(run: Run): Promise<void> {
  const { parts, soakMinutes, big } = run.options;
  if (soakMinutes !== null) {
    await withCluster(run, (cluster, directory) =>
      measureSoak(cluster, { minutes: soakMinutes, directory, figures: run.figures }),
    );
  } else if (big) {
    await withCluster(run, (cluster, directory) =>
      measureBig(cluster, { directory, figures: run.figures }),
    );
  } else {
    await measureLoadsAndFailover(run);
    if (parts.has('memory')) await measureIdleNodes(run);
  }
}

async function withCluster(
  run: Run,
  use: (cluster: Cluster, directory: string) => Promise<void>,
): Promise<void> {
  const product = quorate({ name: system, program: run.options.program });
  const directory = directoryOf(run, product);
  const cluster = await Cluster.start(product, directory);
  await use(cluster, directory);
  await cluster.stop();
}

function productsOf({ program, against, compare: withEtcd }: Options): Product[] {
  const products = [quorate({ name: system, program })];
  if (against !== null) products.push(quorate({ name: 'against', program: against }));
  if (withEtcd) products.push(etcd);
  return products;
}

async function measureLoadsAndFailover(run: Run): Promise<void> {
  const { parts } = run.options;
  if (!parts.has('writes') && !parts.has('reads') && !parts.has('failover')) return;
  const clusters: Cluster[] = [];
  for (const product of run.products) {
    tell(`starting ${product.name}`);
    clusters.push(await Cluster.start(product, directoryOf(run, product)));
  }
  await measureLoads(run, clusters);
  if (parts.has('failover')) await measureFailovers(run, clusters);
  for (const cluster of clusters) {
    note(run, cluster.product, loadedMemoryName, { value: largestNodeMb(cluster) });
    await cluster.stop();
  }
}

/** Systems take turns, so that all of them see the same moods of the machine. */
async function measureLoads(run: Run, clusters: readonly Cluster[]): Promise<void> {
  const { rounds, connections } = run.options;
  for (const cluster of clusters) await fill(run, cluster);
  for (let round = 1; round <= rounds; round++) {
    tell(`round ${round} of ${rounds}`);
    for (const kind of kindsOf(run.options)) {
      for (const count of connections) {
        for (const cluster of clusters) await measureLoad(run, cluster, { kind, count });
      }
    }
  }
}

function kindsOf({ parts }: Options): Kind[] {
  return [
    ...(parts.has('writes') ? (['write'] as const) : []),
    ...(parts.has('reads') ? (['linearizable read', 'local read'] as const) : []),
  ];
}

/** All keys exist and all code has run hot before anything is measured. */
async function fill(run: Run, cluster: Cluster): Promise<void> {
  const requests = requestFile(directoryOf(run, cluster.product), cluster.product, 'write');
  const http = await cluster.leader();
  await runLoad({ http, requests, connections: 64, seconds: fillSeconds });
}

async function measureLoad(
  run: Run,
  cluster: Cluster,
  { kind, count }: { kind: Kind; count: number },
): Promise<void> {
  const { product } = cluster;
  const { seconds, warmUpSeconds } = run.options;
  const requests = requestFile(directoryOf(run, product), product, kind);
  const load = { http: await cluster.leader(), requests, connections: count };
  await runLoad({ ...load, seconds: warmUpSeconds });
  const cpuSeconds = cpuSecondsOf(cluster.pids);
  const { perSecond, ...rest } = await runLoad({ ...load, seconds });
  const cpuUs = ((cpuSecondsOf(cluster.pids) - cpuSeconds) * 1e6) / (perSecond * seconds);
  if (rest.failures > perSecond) {
    throw new Error(`Cannot measure ${product.name}: ${rest.failures} requests failed`);
  }
  note(run, product, loadName(kind, count), { value: perSecond, cpuUs, ...rest });
}

async function measureFailovers(run: Run, clusters: readonly Cluster[]): Promise<void> {
  const { failovers } = run.options;
  for (let i = 1; i <= failovers; i++) {
    for (const cluster of clusters) {
      note(run, cluster.product, failoverName, { value: await measureFailover(cluster) });
    }
  }
  if (failovers < failoversForPercentiles) return;
  for (const { product } of clusters) {
    const values = run.figures.valuesOf(failoverName, product.name);
    note(run, product, failoverP50Name, { value: percentile(values, 0.5) });
    note(run, product, failoverP99Name, { value: percentile(values, 0.99) });
  }
}

/** With scripts, so that the process that runs them is there and counts. */
async function measureIdleNodes(run: Run): Promise<void> {
  const { program, compare: withEtcd } = run.options;
  const script = (name: string): string => `${projectRoot}scripts/${name}.sh`;
  const flags = [
    `--verificationScript=${script('verify')}`,
    `--notificationScript=${script('notify')}`,
  ];
  const products = [quorate({ name: system, program, flags }), ...(withEtcd ? [etcd] : [])];
  for (const product of products) {
    const cluster = await Cluster.start(product, `${directoryOf(run, product)}-idle`);
    tell(`letting ${product.name} idle`);
    note(run, product, idleMemoryName, { value: await measureMemory(cluster) });
    await cluster.stop();
  }
}

type Sample = Parameters<Figures['add']>[2];

function note(run: Run, product: Product, measure: string, sample: Sample): void {
  run.figures.add(measure, product.name, sample);
  const { value, p50Ms, p99Ms, cpuUs } = sample;
  const latency = p50Ms === undefined ? '' : `, p50 ${p50Ms} ms, p99 ${p99Ms ?? 0} ms`;
  const cpu = cpuUs === undefined ? '' : `, CPU ${cpuUs.toFixed(0)} us`;
  tell(`${product.name}: ${measure}: ${value.toFixed(1)}${latency}${cpu}`);
}

const directoryOf = (run: Run, product: Product): string => `${run.directory}/${product.name}`;

const args = process.argv.slice(2);
if (args.includes('--help')) console.log(usage);
else await main(parseOptions(args));
