import type { ReplicaSettings } from '../../../src/node/replica/index.ts';
import { raftSettingsFor } from '../../../src/raft/index.ts';
import type { Random } from '../../../src/shared/index.ts';
import type { MemoryNetworkFaults } from '../../../src/transport/index.ts';
import { anyOf, between, happens } from './world.ts';

const KIB = 1024;

/** Production code, with sizes so small that everything rolls over all the time. */
export const tinySettings = ({
  leaseReads,
  pendingReadsMax,
  spareSegments,
}: Pick<Profile, 'leaseReads' | 'pendingReadsMax' | 'spareSegments'>): ReplicaSettings => ({
  raft: {
    ...raftSettingsFor('lan'),
    appendBytesMax: 4 * KIB,
    inflightMessagesMax: 4,
    inflightBytesMax: 16 * KIB,
    uncommittedBytesMax: 24 * KIB,
    pendingReadsMax,
    leaseReads,
  },
  log: { segmentBytes: 128 * KIB, recordBytesMax: 96 * KIB, spareSegments },
  compaction: { entriesMax: 50, bytesMax: 1024 * KIB, keepEntries: 10, checkMs: 200 },
  tickMs: 25,
  entryBytesMax: 16 * KIB,
  cacheBytesMax: 6 * KIB,
  snapshotChunkBytes: KIB,
});

const networkDisturbances = [
  'split',
  'isolate',
  'oneWay',
  'tangle',
  'comeback',
  'badNetwork',
] as const;
const processDisturbances = ['kill', 'stop', 'pause', 'freeze', 'hiccup', 'clockJump'] as const;
const crashDisturbances = ['crash', 'crashAll', 'crashAtStep', 'ambush'] as const;
const diskDisturbances = [
  'slowDisk',
  'hungDisk',
  'diskError',
  'fullDisk',
  'bitFlip',
  'lostFile',
  'misplacedFile',
  'tornSector',
  'wipe',
] as const;
/** Others are of the next release, or say so for a moment. */
const releaseDisturbances = ['laterRelease', 'laterCommand'] as const;
const memberDisturbances = ['transfer', 'evict', 'churn', 'update', 'promote', 'nonsense'] as const;

/** Ways to disturb a cluster; each seed gets some of them. */
const disturbances = [
  ...networkDisturbances,
  ...processDisturbances,
  ...crashDisturbances,
  ...diskDisturbances,
  ...memberDisturbances,
  ...releaseDisturbances,
];

export type Disturbance = (typeof disturbances)[number];

/** What is counted: disturbances, and what goes wrong along the way. */
export type Fault =
  | Exclude<Disturbance, 'crash' | 'crashAll' | 'ambush' | 'diskError'>
  | 'powerCut'
  | 'lostFrame'
  | 'brokenConnection'
  | 'slowDial'
  | 'repeated'
  | 'staleSnapshot'
  | 'reordered'
  | 'shortWrite'
  | 'EIO'
  | 'ENOSPC'
  | 'engineError';

/**
 * What a simulation is about. general: any of the faults, few or many of them. The others do one
 * thing all the time and leave the rest alone; mixed does nearly everything at once.
 */
export const profileNames = ['general', 'network', 'disk', 'members', 'mixed'] as const;

export type ProfileName = (typeof profileNames)[number];

const candidatesOf: Readonly<Record<ProfileName, readonly Disturbance[]>> = {
  general: disturbances,
  network: [...networkDisturbances, ...processDisturbances],
  disk: [...crashDisturbances, ...diskDisturbances, 'kill', 'isolate'],
  members: [...memberDisturbances, 'wipe', 'isolate', 'split', 'kill', 'crash', 'stop', 'freeze'],
  mixed: disturbances,
};

/** Of 1000: how many of its candidates a seed takes. */
const sharesOf: Readonly<Record<ProfileName, readonly number[]>> = {
  general: [120, 250, 500],
  network: [300, 700],
  disk: [300, 700],
  members: [400, 800],
  mixed: [850],
};

/** What one seed makes of a simulation. */
export interface Profile {
  readonly name: ProfileName;
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
  /** Connections that take up to a second to stand while the network is disturbed, of 1000. */
  readonly slowDialPerMille: number;
  /** Leaders answer reads without a round while they hold a lease. */
  readonly leaseReads: boolean;
  readonly pendingReadsMax: number;
  /** Segments of the log that are prepared ahead. */
  readonly spareSegments: number;
  /** Some clients number their requests, and repeat those of unknown outcome. */
  readonly sessions: boolean;
  /** Raft messages that come twice or late, of 1000. */
  readonly repeatedPerMille: number;
  readonly delayedPerMille: number;
  /** How wrong the monotonic clocks go, each another way, of 1000; leases allow for 100 between two. */
  readonly driftPerMille: number;
  /** Longest time that a chunk of a snapshot takes. */
  readonly chunkMsMax: number;
}

/** What one seed makes of a simulation. */
export function drawProfile(random: Random, name: ProfileName): Profile {
  const nodeCount = happens(random, 500) ? 3 : 5;
  return {
    name,
    nodeCount,
    start: happens(random, 500) ? 'grow' : 'all',
    hasObserver: nodeCount === 5 && happens(random, 300),
    clientCount: between(random, 3, 6),
    thinkMsMax: between(random, 20, 300),
    disturbances: drawDisturbances(random, name),
    calmMsMax: between(random, 300, 2_500),
    network: drawNetwork(random),
    slowDialPerMille: anyOf(random, [0, 300, 1_000]) ?? 0,
    leaseReads: happens(random, 350),
    pendingReadsMax: anyOf(random, [2, 64]) ?? 64,
    spareSegments: anyOf(random, [1, 1, 2]) ?? 1,
    sessions: happens(random, 600),
    repeatedPerMille: happens(random, 400) ? between(random, 1, 50) : 0,
    delayedPerMille: happens(random, 400) ? between(random, 1, 50) : 0,
    driftPerMille: anyOf(random, [0, 50]) ?? 0,
    chunkMsMax: anyOf(random, [0, 0, 100, 600]) ?? 0,
  };
}

/** Take away a disk, or make it one that may have to be given up. */
const losing: readonly Disturbance[] = [
  'wipe',
  'bitFlip',
  'lostFile',
  'misplacedFile',
  'tornSector',
];
/** Take away members for a while. */
const leaving: readonly Disturbance[] = ['evict', 'churn'];

/** Some of them, never none: seeds that do one thing a lot find other bugs. */
function drawDisturbances(random: Random, name: ProfileName): readonly Disturbance[] {
  const share = anyOf(random, sharesOf[name]) ?? 300;
  // Together they could leave two voters, one of them without its disk: no cluster survives that.
  const unwanted = happens(random, 500) ? losing : leaving;
  const wanted = candidatesOf[name].filter((one) => !unwanted.includes(one));
  const chosen = wanted.filter(() => happens(random, share));
  return chosen.length > 0 ? chosen : [anyOf(random, wanted) ?? 'crash'];
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
