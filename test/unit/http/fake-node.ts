import type {
  ClusterApi,
  HttpMetrics,
  KeyConsensus,
  KeyHealthView,
  KeySamples,
  NodeApi,
  Pair,
  StoreApi,
  WatchApi,
} from '../../../src/http/index.ts';
import { asNodeId, asRevision, utf8 } from '../../../src/shared/index.ts';
import type { Logger } from '../../../src/shared/index.ts';

/** What a route called, with its arguments. */
export type Call = readonly [name: string, ...args: unknown[]];

export interface FakeNode {
  readonly api: NodeApi;
  readonly pairs: Map<string, string>;
  readonly calls: Call[];
  /** Replaces single methods, to make them fail or to answer otherwise. */
  readonly override: {
    store: Partial<StoreApi>;
    watch: Partial<WatchApi>;
    cluster: Partial<ClusterApi>;
  };
}

export const samples: readonly KeySamples[] = [
  {
    key: 'db:1',
    samples: [
      { status: 'UP', atMs: Date.UTC(2006, 0, 2, 15, 4, 5) },
      { status: 'EMPTY', atMs: Date.UTC(2006, 0, 2, 15, 4, 15) },
    ],
  },
  { key: '__proto__', samples: [] },
];

export const consensus: readonly KeyConsensus[] = [
  {
    key: 'db:1',
    prevEventAtMs: Date.UTC(2006, 0, 2, 15, 4, 5, 999),
    prevConsensus: 'UP',
    empty: true,
    emptyAtMs: Date.UTC(2006, 0, 2, 16, 0, 0),
    votes: [
      { gossipAddress: '127.0.0.1:8000', verdict: 'UP', heardAtMs: Date.UTC(2006, 0, 2, 15, 0, 0) },
      { gossipAddress: '127.0.0.1:8001', verdict: 'LESS_THAN_MINSAMPLE', heardAtMs: 0 },
    ],
  },
  { key: 'new', prevEventAtMs: 0, prevConsensus: '', empty: false, emptyAtMs: 0, votes: [] },
];

export const health: readonly KeyHealthView[] = [
  {
    key: 'db:1',
    valueRevision: asRevision(3),
    state: 'UP',
    empty: false,
    decidedBy: asNodeId('node2'),
    reason: '2 of 3 members say DOWN; waiting: it must last 900 ms more',
    waiting: '2 of 3 members say DOWN; waiting: it must last 900 ms more',
    votes: [
      {
        node: asNodeId('node1'),
        zone: 'east',
        verdict: 'DOWN',
        samples: ['UP', 'DOWN', 'DOWN', 'DOWN'],
        ageMs: 12,
        fresh: true,
        why: '',
      },
    ],
    lastSample: { status: 'DOWN', atMs: Date.UTC(2006, 0, 2, 15, 4, 5), detail: 'DOWN\nrefused' },
  },
  {
    key: 'new',
    valueRevision: asRevision(4),
    state: '',
    empty: false,
    decidedBy: null,
    reason: '',
    waiting: null,
    votes: [],
    lastSample: null,
  },
];

/** A node in memory that remembers what it was asked. */
export function fakeNode(): FakeNode {
  const pairs = new Map<string, string>();
  const calls: Call[] = [];
  const override = { store: {}, watch: {}, cluster: {} };
  const api: NodeApi = {
    store: layered(fakeStore(pairs, calls), override.store),
    watch: layered(fakeWatch(calls), override.watch),
    cluster: layered(fakeCluster(calls), override.cluster),
  };
  return { api, pairs, calls, override };
}

function layered<T extends object>(base: T, over: Partial<T>): T {
  return new Proxy(base, {
    get: (target, name) => Reflect.get(name in over ? over : target, name) as unknown,
  });
}

function fakeStore(pairs: Map<string, string>, calls: Call[]): StoreApi {
  return {
    set: (key, value, options) => {
      calls.push(['set', key, value, options]);
      pairs.set(key, value);
      return Promise.resolve();
    },
    del: (key, options) => {
      calls.push(['del', key, options]);
      pairs.delete(key);
      return Promise.resolve();
    },
    get: (key, options) => {
      calls.push(['get', key, options]);
      const value = pairs.get(key);
      return Promise.resolve(value === undefined ? null : utf8(value));
    },
    pairs: () => inBatches(pairs),
    keys: (query) => {
      calls.push(['keys', query]);
      return [...pairs].map(([key, value]) => ({
        key,
        createRevision: asRevision(1),
        modRevision: asRevision(3),
        version: 2,
        valueRevision: asRevision(3),
        valueBytes: utf8(value).length,
      }));
    },
  };
}

async function* inBatches(pairs: Map<string, string>): AsyncGenerator<readonly Pair[]> {
  const entries = [...pairs].map(([key, value]) => [utf8(key), utf8(value)] as const);
  await Promise.resolve();
  yield entries.slice(0, 1);
  yield entries.slice(1);
}

function fakeWatch(calls: Call[]): WatchApi {
  const event = { id: 42, token: '0000000001.0000000000000042', key: 'db:1', to: 'DOWN' };
  return {
    samples: () => samples,
    samplesOf: (key) => samples.find((entry) => entry.key === key),
    consensus: () => consensus,
    consensusOf: (key) => consensus.find((entry) => entry.key === key),
    health: (query) => {
      calls.push(['health', query]);
      return Promise.resolve(health);
    },
    healthOf: (key) => Promise.resolve(health.find((one) => one.key === key)),
    events: (query) => {
      calls.push(['events', query]);
      return [event, { ...event, id: 41 }];
    },
    event: (id) => (id === 42 ? event : undefined),
  };
}

function fakeCluster(calls: Call[]): ClusterApi {
  const noted =
    (name: string) =>
    (...args: unknown[]): Promise<void> => {
      calls.push([name, ...args]);
      return Promise.resolve();
    };
  return {
    leader: () => ({ raft: '127.0.0.1:7000', http: '127.0.0.1:6000' }),
    raftAddresses: () => ['127.0.0.1:7001', '127.0.0.1:7000'],
    gossipAddresses: () => ['127.0.0.1:8001', '127.0.0.1:8000'],
    membersConsensus: () => ({ same: true, raft: ['a'], gossip: ['a'] }),
    members: () =>
      Promise.resolve([
        {
          id: asNodeId('node1'),
          incarnation: '00112233aabbccdd',
          role: 'leader' as const,
          zone: 'east',
          addresses: { http: '127.0.0.1:6000', raft: '127.0.0.1:7000', gossip: '127.0.0.1:8000' },
          matchIndex: 7,
          lastContactMs: 0,
        },
      ]),
    join: noted('join'),
    leave: noted('leave'),
    transfer: noted('transfer'),
    gossipJoin: noted('gossipJoin'),
    gossipLeave: noted('gossipLeave'),
    readiness: () => ({ ready: true, problems: [], warnings: [] }),
  };
}

export interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export function fakeLogger(lines: LogLine[] = []): Logger {
  const at =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      lines.push({ level, fields, message });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface FakeMetrics extends HttpMetrics {
  readonly observed: string[];
}

export function fakeMetrics(): FakeMetrics {
  const observed: string[] = [];
  return {
    observed,
    observeRequest: (route, status) => void observed.push(`${route} ${status}`),
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    render: () => Promise.resolve('quorate_raft_term 3\n'),
  };
}
