import type {
  Configuration,
  Entry,
  EntryKind,
  LogBase,
  LogIdentity,
  LogStore,
} from '../../src/raft/index.ts';
import {
  asClusterId,
  asIncarnation,
  asIndex,
  asNodeId,
  asPeerId,
  asTerm,
  utf8,
} from '../../src/shared/index.ts';
import type { Logger } from '../../src/shared/index.ts';
import type { LogSettings } from '../../src/storage/index.ts';
import { encodeConfiguration } from '../../src/wire/index.ts';

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Small enough that a handful of batches crosses segments. */
export const smallSettings: LogSettings = {
  segmentBytes: 64 * 1024,
  recordBytesMax: 16 * 1024,
  spareSegments: 1,
};

export const identity: LogIdentity = {
  clusterId: asClusterId('c1'),
  nodeId: asNodeId('n1'),
  incarnation: asIncarnation('aa01'),
};

export const peer = (name: string) => asPeerId(`${name}@aa01`);

export function configurationOf(...names: string[]): Configuration {
  const members = names.map((name) => ({
    nodeId: asNodeId(name),
    incarnation: asIncarnation('aa01'),
    role: 'voter' as const,
    zone: 'z',
    raftAddress: `${name}:1`,
    httpAddress: `${name}:2`,
    gossipAddress: `${name}:3`,
  }));
  return { members, outgoingVoters: [], removed: [] };
}

export const emptyBase: LogBase = {
  index: asIndex(0),
  term: asTerm(0),
  configuration: { index: asIndex(0), configuration: configurationOf('n1', 'n2', 'n3') },
};

export function baseAt(index: number, term: number, configuration = emptyBase.configuration) {
  return { index: asIndex(index), term: asTerm(term), configuration };
}

export function entry(
  index: number,
  term: number,
  payload: Uint8Array | string = `value ${index} of term ${term}`,
  kind: EntryKind = 'command',
): Entry {
  const bytes = typeof payload === 'string' ? utf8(payload) : payload;
  return { index: asIndex(index), term: asTerm(term), kind, payload: bytes };
}

export const entries = (from: number, to: number, term: number, payload?: Uint8Array | string) =>
  Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term, payload));

export const configurationEntry = (index: number, term: number, ...names: string[]): Entry =>
  entry(index, term, encodeConfiguration(configurationOf(...names)), 'configuration');

/** Entries from..to as one line each, read back in steps. */
export async function contentOf(log: LogStore, from: number, to: number): Promise<string[]> {
  const lines: string[] = [];
  for (let next = from; next <= to;) {
    const found = await log.read(asIndex(next), asIndex(to), 4096);
    if (found.length === 0) break;
    for (const one of found) lines.push(lineOf(one));
    next += found.length;
  }
  return lines;
}

export const lineOf = ({ index, term, kind, payload }: Entry): string =>
  `${index}/${term} ${kind} ${Buffer.from(payload).toString('latin1')}`;
