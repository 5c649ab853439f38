import type { Daemon } from './daemon.ts';
import { query } from './http.ts';
import { waitFor } from './wait-for.ts';

/** An event as `/events` shows it. */
export interface EventShown {
  readonly id: number;
  readonly token: string;
  readonly key: string;
  readonly value: string;
  readonly valueRevision: number;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly at: string;
  readonly evidence: {
    readonly quorum: number;
    readonly minZones: number;
    readonly votes: readonly { node: string; verdict: string; counted: boolean }[];
  };
  readonly notification: {
    readonly state: string;
    readonly attempts: readonly {
      node: string;
      role: string;
      exitCode: number | null;
      signal: string | null;
      timedOut: boolean;
      output: string;
    }[];
  };
}

interface ConsensusShown {
  readonly PrevConsensus: string;
  readonly Empty: boolean;
}

interface HealthShown {
  readonly reason: string;
  readonly decidedBy: string | null;
  readonly votes: readonly unknown[];
}

/** What the node shows about the key once the leader's reason holds `text`. */
export function explained(node: Daemon, key: string, text: string): Promise<HealthShown> {
  return waitFor(`${node.id} explains ${key} with ${text}`, async () => {
    const shown = await node.json<HealthShown>(`/health/${encodeURIComponent(key)}`);
    if (!shown.reason.includes(text)) throw new Error(JSON.stringify(shown));
    return shown;
  });
}

/** Newest first. */
export function eventsOf(node: Daemon, key?: string): Promise<EventShown[]> {
  return node.json<EventShown[]>(`/events?${query({ key, limit: 1000 })}`);
}

/** `['DOWN', 'UP']`: the key's events, oldest first. */
export async function kindsOf(node: Daemon, key: string): Promise<string[]> {
  return (await eventsOf(node, key)).map(({ to }) => to).reverse();
}

/** Waits for the newest event of the key to be this one, with its notification in this state. */
export function eventIs(
  node: Daemon,
  key: string,
  wanted: { readonly to: string; readonly state: string },
): Promise<EventShown> {
  return waitFor(`${key} is ${wanted.to} and its notification ${wanted.state}`, async () => {
    const [newest] = await eventsOf(node, key);
    const found = `${newest?.to ?? 'nothing'} ${newest?.notification.state ?? ''}`;
    if (found !== `${wanted.to} ${wanted.state}`) throw new Error(`it is ${found}`);
    return newest;
  });
}

/** Waits until the node shows this baseline for each of the keys. */
export async function baselineIs(
  node: Daemon,
  keys: readonly string[],
  wanted: 'UP' | 'DOWN',
): Promise<void> {
  await waitFor(`${node.id} knows that all keys are ${wanted}`, async () => {
    const shown = await node.json<Record<string, ConsensusShown>>('/gossipstatus');
    return keys.every((key) => shown[key]?.PrevConsensus === wanted);
  });
}

/** Waits until the node has taken `count` samples of the key from now on. */
export async function samplesTaken(node: Daemon, key: string, count: number): Promise<void> {
  const startedAtMs = Date.now();
  const path = `/detectordata/${encodeURIComponent(key)}`;
  const times = new Set<string>();
  await waitFor(`${node.id} takes ${count} more samples of ${key}`, async () => {
    const shown = await node.json<Record<string, { Time: string }[]>>(path);
    for (const { Time } of shown[key] ?? []) if (Date.parse(Time) > startedAtMs) times.add(Time);
    if (times.size < count) throw new Error(`it took ${times.size}`);
    return true;
  });
}
