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
  'evict',
  'update',
  'freeze',
  'ambush',
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

/** What one seed makes of a simulation. */
export function drawProfile(random: Random): Profile {
  const nodeCount = happens(random, 500) ? 3 : 5;
  return {
    nodeCount,
    start: happens(random, 500) ? 'grow' : 'all',
    hasObserver: nodeCount === 5 && happens(random, 300),
    clientCount: between(random, 3, 6),
    thinkMsMax: between(random, 5, 100),
    disturbances: drawDisturbances(random),
    calmMsMax: between(random, 150, 1_500),
    network: drawNetwork(random),
    repeatedPerMille: happens(random, 400) ? between(random, 1, 50) : 0,
    delayedPerMille: happens(random, 400) ? between(random, 1, 50) : 0,
  };
}

/** Some of them, never none: seeds that do one thing a lot find other bugs. */
function drawDisturbances(random: Random): readonly Disturbance[] {
  const share = anyOf(random, [150, 300, 600]) ?? 300;
  // Together they could leave two voters, one of them without its disk: no cluster survives that.
  const unwanted = happens(random, 500) ? 'replace' : 'evict';
  const chosen = disturbances.filter((one) => happens(random, share) && one !== unwanted);
  return chosen.length > 0 ? chosen : [anyOf(random, disturbances) ?? 'crash'];
}

function drawNetwork(random: Random): MemoryNetworkFaults {
  const isLossy = happens(random, 400);
  return {
    lostPerMille: isLossy ? between(random, 1, 60) : 0,
    brokenPerMille: isLossy ? random.intBelow(3) : 0,
    delayMsMin: 0,
    delayMsMax: anyOf(random, [1, 5, 15, 40, 100]) ?? 5,
  };
}
