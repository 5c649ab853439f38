import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../src/shared/index.ts';
import type { Member } from '../e2e/index.ts';
import { query } from '../e2e/index.ts';
import { askQuietly, between, oneOf } from './arena.ts';
import type { Arena } from './arena.ts';
import type { TortureNode } from './torture-node.ts';

const askAgainMs = 500;
const headerOffset = 60;
const changeTimeoutSeconds = 8;

/** Removes members and takes them in again, wipes them, moves leadership; one after the other. */
export async function runMemberFaults(arena: Arena, random: Random): Promise<void> {
  const faults = [leaveAndJoin, wipe, damage, transfer];
  while (!arena.isOver()) {
    await arena.rest(between(1000, 6000, random));
    // Only then has every acknowledged write as many copies as it had before the last one was lost.
    await untilAllVote(arena);
    if (!arena.isOver()) await oneOf(faults, random)(arena, random);
  }
}

async function leaveAndJoin(arena: Arena, random: Random): Promise<void> {
  const node = oneOf(arena.nodes, random);
  arena.fault('leave and join', node.id);
  await untilDone(arena, random, { route: '/leave', node, alsoDone: 404 });
  arena.note(`${node.id} has left`);
  await arena.rest(between(0, 4000, random));
  await untilDone(arena, random, { route: '/join', node });
  arena.note(`${node.id} has joined`);
}

const wipe = (arena: Arena, random: Random): Promise<void> =>
  rebuild(arena, random, { name: 'wiped disk', harm: ({ daemon }) => daemon.wipe() });

const damage = (arena: Arena, random: Random): Promise<void> =>
  rebuild(arena, random, {
    name: 'flipped bit in the log',
    harm: ({ daemon }) => flipBit(daemon.dataDirectory),
  });

interface Loss {
  readonly name: string;
  /** Done to a node that does not run: it cannot trust its data any more. */
  readonly harm: (node: TortureNode) => void;
}

/** A node loses its data and must come back by itself as a voter of another incarnation. */
async function rebuild(arena: Arena, random: Random, { name, harm }: Loss): Promise<void> {
  const [node] = arena.free(random);
  if (node === undefined) return;
  node.reserve();
  const before = (await votersOf(arena)).get(node.id);
  if (before !== undefined && !arena.isOver()) {
    await arena.mayStrike();
    arena.strike(name, node.id);
    await node.daemon.kill();
    harm(node);
    await arena.rest(between(0, 3000, random));
    node.start();
    arena.repaired(name);
  }
  node.release();
  if (before === undefined) return;
  await until(arena, async () => {
    const now = (await votersOf(arena)).get(node.id);
    return now !== undefined && now !== before;
  });
  arena.note(`${node.id} is back after ${name}`);
}

/** In the header of the oldest segment, which every start reads. */
function flipBit(dataDirectory: string): void {
  const directory = join(dataDirectory, 'log');
  const [oldest] = readdirSync(directory).sort();
  if (oldest === undefined) throw new Error(`Cannot damage ${directory}: it is empty`);
  const file = openSync(join(directory, oldest), 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, headerOffset);
  writeSync(
    file,
    byte.map((found) => found ^ 4),
    0,
    1,
    headerOffset,
  );
  closeSync(file);
}

async function transfer(arena: Arena, random: Random): Promise<void> {
  const node = oneOf(arena.nodes, random);
  const path = `/members/${node.id}/transfer?${query({ timeout: changeTimeoutSeconds })}`;
  const asked = oneOf(arena.nodes, random);
  const status = await statusOf(asked, path);
  if (status !== 200) return;
  arena.fault('transfer of leadership', `to ${node.id} through ${asked.id}`);
}

interface Change {
  readonly route: '/join' | '/leave';
  readonly node: TortureNode;
  /** A further answer that says that it is as wanted. */
  readonly alsoDone?: number;
}

/** Asks one node after the other, whatever they answer, until it is done. */
async function untilDone(arena: Arena, random: Random, change: Change): Promise<void> {
  const { route, node, alsoDone = 200 } = change;
  const path = `${route}?${query({ peerAddress: node.raft, timeout: changeTimeoutSeconds })}`;
  await until(arena, async () => {
    const asked = oneOf(arena.nodes, random);
    const status = await statusOf(asked, path);
    arena.note(`${route} of ${node.id} through ${asked.id}: ${status}`);
    return status === 200 || status === alsoDone;
  });
}

async function statusOf(asked: TortureNode, path: string): Promise<number> {
  if (!asked.daemon.isRunning) return 0;
  const timeoutMs = (changeTimeoutSeconds + 2) * 1000;
  try {
    return (await asked.daemon.ask(path, { method: 'POST', timeoutMs })).status;
  } catch {
    return 0;
  }
}

async function until(arena: Arena, isDone: () => Promise<boolean>): Promise<void> {
  while (!arena.isOver() && !(await isDone())) await arena.rest(askAgainMs);
}

async function untilAllVote(arena: Arena): Promise<void> {
  await until(arena, async () => (await votersOf(arena)).size === arena.nodes.length);
}

/** The voters of the committed configuration and their incarnations; empty when nobody knows. */
async function votersOf(arena: Arena): Promise<ReadonlyMap<string, string>> {
  for (const node of arena.nodes) {
    const before = await votersBy(node);
    // What is acknowledged after a configuration was seen proves that one to be committed and no
    // older than the node's; seen unchanged after it, it is the newest that is.
    if (before === null || (await statusOf(node, barrierPath)) !== 200) continue;
    const after = await votersBy(node);
    if (after === null || JSON.stringify(before) !== JSON.stringify(after)) continue;
    return new Map(after);
  }
  return new Map();
}

const barrierPath = `/set?${query({ key: 'barrier', value: 'x', timeout: 1 })}`;

async function votersBy(node: TortureNode): Promise<[string, string][] | null> {
  const text = await askQuietly(node, '/members');
  if (text === null) return null;
  return (JSON.parse(text) as Member[])
    .filter(({ role }) => role === 'leader' || role === 'voter')
    .map(({ id, incarnation }) => [id, incarnation]);
}
