import { setTimeout as pause } from 'node:timers/promises';
import type { Figures } from './figures.ts';
import { soakElectionsName, soakGrowthName } from './figures.ts';
import { requestFile, runLoad } from './load.ts';
import { largestNodeMb } from './processes.ts';
import { median } from './statistics.ts';
import { ask, get } from './system.ts';
import type { Cluster } from './system.ts';
import { tell } from './tell.ts';

const connections = 64;
const stallMs = 400;
const minuteSeconds = 60;
/** Caches fill and the compiler works in the first minutes: that is no growth. */
const warmUpMinutes = 2;
const samplesCompared = 3;

/** Full load of writes, and each minute one follower stands still: nobody may stand for election. */
export async function measureSoak(
  cluster: Cluster,
  { minutes, directory, figures }: { minutes: number; directory: string; figures: Figures },
): Promise<void> {
  const { product } = cluster;
  const leader = await cluster.leader();
  const followers = cluster.addresses.filter((http) => http !== leader);
  const requests = requestFile(directory, product, 'write');
  const termBefore = await termOf(leader);
  const memory: number[] = [];
  for (let minute = 1; minute <= minutes + warmUpMinutes; minute++) {
    const load = runLoad({ http: leader, connections, seconds: minuteSeconds, requests });
    await pause((minuteSeconds / 2) * 1000);
    const stalled = followers[minute % followers.length] ?? leader;
    await cluster.stall(stalled, stallMs);
    const { perSecond, p99Ms, failures } = await load;
    memory.push(largestNodeMb(cluster));
    tell(
      `minute ${minute}: ${perSecond.toFixed(0)} writes/s, p99 ${p99Ms} ms, ${failures} failed, ` +
        `${(memory.at(-1) ?? NaN).toFixed(0)} MB, term ${await termOf(leader)}`,
    );
    if (minute > warmUpMinutes) {
      figures.add('writes/s under stalls', product.name, { value: perSecond, p99Ms, failures });
    }
  }
  const elections = (await termOf(leader)) - termBefore;
  figures.add(soakElectionsName, product.name, { value: elections });
  figures.add(soakGrowthName, product.name, { value: growthOf(memory.slice(warmUpMinutes)) });
}

/** Percent that the last samples are above the first ones. */
function growthOf(memory: readonly number[]): number {
  const first = median(memory.slice(0, samplesCompared));
  const last = median(memory.slice(-samplesCompared));
  return (last / first - 1) * 100;
}

async function termOf(http: string): Promise<number> {
  const text = (await ask(http, get('/metrics')))?.text ?? '';
  const term = Number(/^quorate_raft_term(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1] ?? NaN);
  if (Number.isNaN(term)) throw new Error(`Cannot read the term of ${http} in /metrics`);
  return term;
}
