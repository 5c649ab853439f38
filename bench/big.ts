import {
  bigMemoryName,
  bigRestartName,
  snapshotLatencyName,
  snapshotMemoryName,
} from './figures.ts';
import type { Figures } from './figures.ts';
import { fill } from './fill.ts';
import { requestFile, runLoad } from './load.ts';
import { largestNodeMb, measureMemory, nodeMb } from './processes.ts';
import { median } from './statistics.ts';
import { ask, get } from './system.ts';
import type { Cluster } from './system.ts';
import { tell } from './tell.ts';

const keys = 1_000_000;
const keyBytes = 100;
const valueBytes = 256;
/** With its key so much that a million of them nearly fill a database: 2 GiB less its reserve. */
const largeValueBytes = 1_650;
const connections = 16;
const loadSeconds = 5;
const quietRounds = 3;
const snapshotWithinMs = 600_000;
const pollMs = 250;

interface Run {
  readonly directory: string;
  readonly figures: Figures;
}

/** A million keys: memory, restart, and what a snapshot of them costs those who write meanwhile. */
export async function measureBig(cluster: Cluster, run: Run): Promise<void> {
  await fillWith(cluster, valueBytes);
  tell('letting it idle');
  note(cluster, run, bigMemoryName, await measureMemory(cluster));
  await measureRestart(cluster, run);
  await fillWith(cluster, largeValueBytes);
  await measureSnapshot(cluster, run);
}

async function fillWith(cluster: Cluster, bytes: number): Promise<void> {
  const startedMs = performance.now();
  await fill({
    http: await cluster.leader(),
    keys,
    keyBytes,
    valueBytes: bytes,
    onProgress: (done) => tell(`${done} keys with ${bytes} bytes, ${seconds(startedMs)} s`),
  });
}

/** kill -9 of a follower, to the moment that it says it is ready. */
async function measureRestart(cluster: Cluster, run: Run): Promise<void> {
  const { follower } = await rolesOf(cluster);
  const startedMs = performance.now();
  await cluster.restart(follower);
  note(cluster, run, bigRestartName, Number(seconds(startedMs)));
}

async function measureSnapshot(cluster: Cluster, run: Run): Promise<void> {
  const { leader, follower } = await rolesOf(cluster);
  const requests = requestFile(run.directory, cluster.product, 'write');
  const load = { http: leader, connections, seconds: loadSeconds, requests };
  const before: number[] = [];
  for (let i = 0; i < quietRounds; i++) before.push((await runLoad(load)).p99Ms);
  const memoryMb = largestNodeMb(cluster);
  tell(`before: p99 ${median(before)} ms, ${memoryMb.toFixed(0)} MB`);

  const startedMs = performance.now();
  const old = await memberAt(leader, follower);
  await cluster.wipe(follower);
  const during: number[] = [];
  const peak = watchPeak({ leader: cluster.pidOf(leader), follower: cluster.pidOf(follower) });
  try {
    for (;;) {
      cluster.assertAlive();
      const member = await memberAt(leader, follower);
      if (member?.role === 'voter' && member.incarnation !== old?.incarnation) break;
      if (performance.now() - startedMs > snapshotWithinMs) {
        throw new Error(`Cannot see ${follower} come back within ${snapshotWithinMs} ms`);
      }
      during.push((await runLoad(load)).p99Ms);
      tell(`sending: p99 ${during.at(-1) ?? NaN} ms, highest ${peak.text}`);
    }
  } finally {
    peak.stop();
  }
  tell(`the wiped node is back after ${seconds(startedMs)} s`);
  note(cluster, run, snapshotMemoryName, peak.mb - memoryMb);
  note(cluster, run, snapshotLatencyName, median(during) / median(before));
}

/** The most memory that each of these nodes takes, until it is stopped. */
function watchPeak(pids: Readonly<Record<string, number>>): Peak {
  const highest = new Map<string, number>();
  const look = (): void => {
    for (const [name, pid] of Object.entries(pids)) {
      highest.set(name, Math.max(highest.get(name) ?? 0, nodeMb(pid)));
    }
  };
  const timer = setInterval(look, pollMs);
  return {
    get mb() {
      return Math.max(...highest.values());
    },
    get text() {
      return [...highest].map(([name, mb]) => `${name} ${mb.toFixed(0)} MB`).join(', ');
    },
    stop: () => clearInterval(timer),
  };
}

interface Peak {
  readonly mb: number;
  readonly text: string;
  stop(): void;
}

interface Member {
  readonly role: string;
  readonly incarnation: string;
  readonly addresses: { readonly http: string };
}

async function memberAt(leader: string, http: string): Promise<Member | undefined> {
  const text = (await ask(leader, get('/members')))?.text ?? '[]';
  return (JSON.parse(text) as Member[]).find(({ addresses }) => addresses.http === http);
}

async function rolesOf(cluster: Cluster): Promise<{ leader: string; follower: string }> {
  const leader = await cluster.leader();
  const follower = cluster.addresses.find((http) => http !== leader) ?? leader;
  return { leader, follower };
}

function note(cluster: Cluster, run: Run, measure: string, value: number): void {
  tell(`${measure}: ${value.toFixed(1)}`);
  run.figures.add(measure, cluster.product.name, { value });
}

const seconds = (sinceMs: number): string => ((performance.now() - sinceMs) / 1000).toFixed(1);
