import { ask } from './system.ts';
import type { Cluster } from './system.ts';

const retryMs = 10;
const giveUpAfterMs = 30_000;

/** Milliseconds from kill -9 of the leader to the next write that is acknowledged. */
export async function measureFailover(cluster: Cluster): Promise<number> {
  const leader = await cluster.leader();
  const others = cluster.addresses.filter((http) => http !== leader);
  for (const http of others) await write(cluster, http, AbortSignal.timeout(5000));
  const startedMs = performance.now();
  cluster.kill(leader);
  const acknowledgedMs = await firstWrite(cluster, others, startedMs + giveUpAfterMs);
  await cluster.restart(leader);
  return acknowledgedMs - startedMs;
}

/** Asks all, again and again, without waiting for what was asked before. */
async function firstWrite(
  cluster: Cluster,
  addresses: readonly string[],
  deadlineMs: number,
): Promise<number> {
  const over = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      for (const http of addresses) {
        void write(cluster, http, over.signal).then((ok) => {
          if (ok) end(resolve);
        });
      }
      if (performance.now() > deadlineMs) end(() => reject(new Error(noWriteText(cluster))));
    }, retryMs);
    const end = (settle: (nowMs: number) => void): void => {
      settle(performance.now());
      clearInterval(timer);
      over.abort();
    };
  });
}

const noWriteText = ({ product }: Cluster): string =>
  `Cannot write to ${product.name} after its leader was killed`;

async function write(cluster: Cluster, http: string, signal: AbortSignal): Promise<boolean> {
  const request = cluster.product.request('write', { key: 'failover', value: 'v' });
  return (await ask(http, request, signal))?.status === 200;
}
