import type { ReplicaSettings } from '../../../src/node/replica/index.ts';
import { raftSettingsFor } from '../../../src/raft/index.ts';
import type { Random } from '../../../src/shared/index.ts';
import type { MemoryNetworkFaults } from '../../../src/transport/index.ts';
import { anyOf, between, happens } from './world.ts';

const KIB = 1024;

/** Production code, with sizes so small that everything rolls over all the time. */
export const tinySettings: ReplicaSettings = {
  raft: {
    ...raftSettingsFor('lan'),
    appendBytesMax: 4 * KIB,
    inflightMessagesMax: 4,
    inflightBytesMax: 16 * KIB,
    uncommittedBytesMax: 24 * KIB,
    pendingReadsMax: 64,
  },
  log: { segmentBytes: 128 * KIB, recordBytesMax: 96 * KIB, spareSegments: 1 },
  compaction: { entriesMax: 50, bytesMax: 1024 * KIB, keepEntries: 10, checkMs: 200 },
  tickMs: 25,
  cacheBytesMax: 6 * KIB,
  snapshotChunkBytes: KIB,
};

/** Ways to disturb a cluster; each seed gets some of them. */
export const disturbances = [
  'crash',
  'crashAll',
  'kill',
  'stop',
  'pause',
  'split',
  'isolate',
  'oneWay',
  'badNetwork',
  'slowDisk',
  'diskFault',
  'transfer',
  'replace',
  'wallClock',
] as const;

export type Disturbance = (typeof disturbances)[number];

/** What one seed makes of a simulation. */
export interface Profile {
  readonly nodeCount: number;
  /** grow: the first node is the cluster, the others join one by one. */
  readonly start: 'grow' | 'all';
  /** The last node never becomes a voter. */
  readonly hasObserver: boolean;
  readonly clientCount: number;
  /** Longest pause of a client between two requests. */
  readonly thinkMsMax: number;
  readonly disturbances: readonly Disturbance[];
  /** Longest pause between two disturbances. */
  readonly calmMsMax: number;
  /** Of the network when nothing special is wrong with it. */
  readonly network: MemoryNetworkFaults;
  /** Raft messages that come twice or late, of 1000. */
  readonly repeatedPerMille: number;
  readonly delayedPerMille: number;
}

/** Some of the disturbances, never none: seeds that do one thing a lot find other bugs. */
export function drawProfile(random: Random): Profile {
  const nodeCount = happens(random, 500) ? 3 : 5;
  const chosen = disturbances.filter(() => happens(random, 450));
  const lossy = happens(random, 400);
  return {
    nodeCount,
    start: happens(random, 500) ? 'grow' : 'all',
    hasObserver: nodeCount === 5 && happens(random, 300),
    clientCount: between(random, 3, 6),
    thinkMsMax: between(random, 5, 100),
    disturbances: chosen.length > 0 ? chosen : [anyOf(random, disturbances) ?? 'crash'],
    calmMsMax: between(random, 150, 1_500),
    network: {
      lostPerMille: lossy ? between(random, 1, 60) : 0,
      brokenPerMille: lossy ? random.intBelow(3) : 0,
      delayMsMin: 0,
      delayMsMax: between(random, 0, 15),
    },
    repeatedPerMille: happens(random, 400) ? between(random, 1, 50) : 0,
    delayedPerMille: happens(random, 400) ? between(random, 1, 50) : 0,
  };
}
