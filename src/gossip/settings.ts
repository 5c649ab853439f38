/** Timers and counts of the protocol; the names are those of the SWIM and Lifeguard papers. */
export interface GossipSettings {
  /** One member is probed per interval, longer while this node is itself unwell. */
  readonly probeIntervalMs: number;
  /** How long a direct probe waits before others are asked; about the 99th percentile of a round trip. */
  readonly probeTimeoutMs: number;
  /** Members that are asked to probe a silent one. */
  readonly indirectProbes: number;
  /** Shortest suspicion = suspicionMult * max(1, log10(n)) * probeIntervalMs. */
  readonly suspicionMult: number;
  /** Longest suspicion = suspicionMaxTimeoutMult * the shortest. */
  readonly suspicionMaxTimeoutMult: number;
  readonly gossipIntervalMs: number;
  /** Members that get a packet per gossip interval. */
  readonly gossipNodes: number;
  /** Each item is sent retransmitMult * ceil(log10(n + 1)) times by each node. */
  readonly retransmitMult: number;
  /** Push/pull with one random member; stretched above 32 members. */
  readonly pushPullIntervalMs: number;
  /** A dead member still gets gossip for so long, so that it can object. */
  readonly gossipToTheDeadMs: number;
  /** One dead member is tried per interval, so that partitions heal. */
  readonly reconnectIntervalMs: number;
  readonly exchangeTimeoutMs: number;
  /** Seeds that do not answer are tried again with a delay doubling between these. */
  readonly seedRetryMsMin: number;
  readonly seedRetryMsMax: number;
  /** Seeds that are no live member's are tried so often even when all is well. */
  readonly seedCheckIntervalMs: number;
  /** A gap in somebody's health results is pulled when gossip has not closed it by then. */
  readonly repairDelayMs: number;
  readonly repairDelayMsMax: number;
  /** A leaving node stays for at most so long to tell. */
  readonly leaveTimeoutMs: number;
  /** Dead and left members are remembered for so long. */
  readonly endedRetentionMs: number;
  /** Health score stays below this; a probe waits at most so many intervals. */
  readonly awarenessMax: number;
  /** What a datagram may hold; 1,200 minus room for encryption. */
  readonly packetBytesMax: number;
  /** Health results in one answer of an exchange; more takes further rounds. */
  readonly answerBytesMax: number;
}

const lan: GossipSettings = {
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  retransmitMult: 4,
  pushPullIntervalMs: 30_000,
  gossipToTheDeadMs: 30_000,
  reconnectIntervalMs: 5_000,
  exchangeTimeoutMs: 5_000,
  seedRetryMsMin: 1_000,
  seedRetryMsMax: 5_000,
  seedCheckIntervalMs: 30_000,
  repairDelayMs: 400,
  repairDelayMsMax: 10_000,
  leaveTimeoutMs: 3_000,
  endedRetentionMs: 24 * 3_600_000,
  awarenessMax: 8,
  packetBytesMax: 1_150,
  answerBytesMax: 256 * 1_024,
};

const wan: GossipSettings = {
  ...lan,
  probeIntervalMs: 5_000,
  probeTimeoutMs: 3_000,
  suspicionMult: 6,
  gossipIntervalMs: 500,
  gossipNodes: 4,
  pushPullIntervalMs: 60_000,
  gossipToTheDeadMs: 60_000,
  exchangeTimeoutMs: 15_000,
  seedRetryMsMax: 10_000,
  repairDelayMs: 1_000,
  leaveTimeoutMs: 5_000,
};

const local: GossipSettings = {
  ...lan,
  probeTimeoutMs: 200,
  indirectProbes: 1,
  suspicionMult: 3,
  gossipIntervalMs: 100,
  retransmitMult: 2,
  pushPullIntervalMs: 15_000,
  gossipToTheDeadMs: 15_000,
  reconnectIntervalMs: 2_000,
  exchangeTimeoutMs: 1_000,
  seedRetryMsMin: 500,
  seedRetryMsMax: 5_000,
  seedCheckIntervalMs: 15_000,
  repairDelayMs: 200,
};

/** Presets: `lan` within or between near data centres, `wan` far ones, `local` one machine. */
export function gossipSettingsFor(profile: 'lan' | 'wan' | 'local'): GossipSettings {
  return { lan, wan, local }[profile];
}
