import { setTimeout as delay } from 'node:timers/promises';
import type { EventShown, Member, NotifyRuns } from '../e2e/index.ts';
import { eventsOf, waitFor } from '../e2e/index.ts';
import { askQuietly } from './arena.ts';
import type { Registers } from './registers.ts';
import type { TortureNode } from './torture-node.ts';
import { checkEvents, checkRuns } from './watched.ts';
import type { WatchedService } from './watched.ts';

const healMsMax = 120_000;
const settleMsMax = 60_000;
const askAgainMs = 500;

/** All nodes run and nothing is cut: throws unless all are members that serve within two minutes. */
export async function comeBack(nodes: readonly TortureNode[]): Promise<void> {
  const ids = nodes.map(({ id }) => id).sort();
  await waitFor(
    'all nodes are voters that serve',
    async () => {
      const members = await membersNow(nodes);
      const voters = members.filter(({ role }) => role === 'leader' || role === 'voter');
      const missing = nodes.find(({ id }) => !members.some((one) => one.id === id));
      if (missing !== undefined) await letIn(nodes, missing);
      if (voters.length !== ids.length)
        throw new Error(`voters: ${voters.map(({ id }) => id).join(' ')}`);
      for (const { id, daemon } of nodes) {
        const { status, text } = await daemon.ask('/readyz');
        if (status !== 200) throw new Error(`${id} is not ready: ${text}`);
      }
      return true;
    },
    healMsMax,
  );
}

async function membersNow(nodes: readonly TortureNode[]): Promise<readonly Member[]> {
  for (const node of nodes) {
    const text = await askQuietly(node, '/members');
    const members = text === null ? [] : (JSON.parse(text) as Member[]);
    if (members.some(({ role }) => role === 'leader')) return members;
  }
  throw new Error('no node sees a leader');
}

async function letIn(nodes: readonly TortureNode[], missing: TortureNode): Promise<void> {
  const host = nodes.find((node) => node !== missing);
  await host?.daemon
    .change('/join', { peerAddress: missing.raft, timeout: 10 })
    .catch(() => undefined);
  await delay(askAgainMs);
}

/** Throws unless every node takes a write and shows it to all others, and all hold the same. */
export async function checkStates(
  nodes: readonly TortureNode[],
  registers: Registers,
): Promise<void> {
  for (const { id, daemon } of nodes) await daemon.set('last', id);
  const held = await waitFor(
    'all nodes hold the same',
    async () => {
      const texts: string[] = [];
      for (const { daemon } of nodes) {
        await daemon.get('last');
        texts.push((await daemon.ask('/status')).text);
      }
      const different = texts.findIndex((text) => text !== texts[0]);
      if (different > 0) throw new Error(difference(nodes[different]?.id ?? '', texts, different));
      return texts[0];
    },
    settleMsMax,
  );
  const state = JSON.parse(held) as Record<string, string>;
  registers.checkAtEnd(new Map(Object.entries(state)), performance.now());
}

function difference(id: string, texts: readonly string[], place: number): string {
  const states = [texts[0], texts[place]].map(
    (text) => JSON.parse(text ?? '{}') as Record<string, string>,
  );
  const [one = {}, other = {}] = states;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  const different = [...keys].filter((key) => one[key] !== other[key]);
  const shown = different
    .slice(0, 5)
    .map((key) => `${key}: ${one[key] ?? '-'} or ${other[key] ?? '-'}`);
  return `${id} differs in ${different.length} keys: ${shown.join('; ')}`;
}

/** Throws unless all nodes tell the same right events, and each key is what its service is. */
export async function checkWatching(
  nodes: readonly TortureNode[],
  watched: readonly WatchedService[],
  runs: NotifyRuns,
): Promise<number> {
  const events = await waitFor(
    'all nodes show the same events, up to date',
    () => sameEvents(nodes, watched),
    settleMsMax,
  );
  for (const one of watched)
    checkEvents(
      events.filter(({ key }) => key === one.key),
      one,
    );
  checkRuns(runs, events);
  return events.length;
}

async function sameEvents(
  nodes: readonly TortureNode[],
  watched: readonly WatchedService[],
): Promise<readonly EventShown[]> {
  const shown = await Promise.all(nodes.map(({ daemon }) => eventsOf(daemon)));
  const [events = [], ...others] = shown;
  for (const other of others) {
    if (JSON.stringify(other) !== JSON.stringify(events)) throw new Error('they differ');
  }
  const open = events.find(({ notification }) =>
    ['pending', 'running'].includes(notification.state),
  );
  if (open !== undefined) throw new Error(`event ${open.id} is ${open.notification.state}`);
  for (const { key, isUp } of watched) {
    const newest = events.find((event) => event.key === key && ['UP', 'DOWN'].includes(event.to));
    // Without any event the first agreement stands, and that was UP.
    const state = newest?.to ?? 'UP';
    if (state !== (isUp ? 'UP' : 'DOWN')) {
      throw new Error(`${key} is ${state}, its service is ${isUp ? 'up' : 'down'}`);
    }
  }
  return events;
}
