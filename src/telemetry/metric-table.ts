/** One metric of the table. `labels` are given to the handle by position. */
export interface MetricSpec {
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds, for histograms. */
  readonly buckets?: readonly number[];
}

/** Local disk writes and requests: 100 us to 10 s. */
const fastSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];
/** Runs of scripts: 5 ms to 5 min. */
const scriptSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** All metrics of our own: the key is the handle in the code, the name is what Prometheus sees. */
export const metricTable = {
  buildInfo: {
    kind: 'gauge',
    name: 'quorate_build_info',
    help: 'Always 1; names the version and the node',
    labels: ['version', 'node'],
  },
  raftTerm: { kind: 'gauge', name: 'quorate_raft_term', help: 'Current term' },
  raftRole: {
    kind: 'gauge',
    name: 'quorate_raft_role',
    help: '1 for the role that this node has, 0 for the others',
    labels: ['role'],
  },
  raftHasLeader: {
    kind: 'gauge',
    name: 'quorate_raft_has_leader',
    help: '1 while this node knows a leader',
  },
  diskStalled: {
    kind: 'gauge',
    name: 'quorate_disk_stalled',
    help: '1 while a write of the log takes longer than --diskStallTimeout',
  },
  raftCommitIndex: {
    kind: 'gauge',
    name: 'quorate_raft_commit_index',
    help: 'Highest log index known to be committed',
  },
  raftAppliedIndex: {
    kind: 'gauge',
    name: 'quorate_raft_applied_index',
    help: 'Highest log index applied to the store',
  },
  raftLastIndex: {
    kind: 'gauge',
    name: 'quorate_raft_last_index',
    help: 'Highest index in the log of this node',
  },
  raftLeaderChanges: {
    kind: 'counter',
    name: 'quorate_raft_leader_changes_total',
    help: 'Leader changes that this node saw',
  },
  raftMembers: {
    kind: 'gauge',
    name: 'quorate_raft_members',
    help: 'Members of the configuration in force, by role',
    labels: ['role'],
  },
  proposals: {
    kind: 'counter',
    name: 'quorate_proposals_total',
    help: 'Commands that this node proposed, by result',
    labels: ['result'],
  },
  proposalSeconds: {
    kind: 'histogram',
    name: 'quorate_proposal_seconds',
    help: 'From proposing an entry of commands to its result',
    buckets: fastSeconds,
  },
  logWriteSeconds: {
    kind: 'histogram',
    name: 'quorate_log_write_seconds',
    help: 'One durable write of the log',
    buckets: fastSeconds,
  },
  logWrittenBytes: {
    kind: 'counter',
    name: 'quorate_log_written_bytes_total',
    help: 'Bytes of entries written to the log',
  },
  snapshots: {
    kind: 'counter',
    name: 'quorate_snapshots_total',
    help: 'Snapshots made, sent and installed, by result',
    labels: ['action', 'result'],
  },
  storeKeys: { kind: 'gauge', name: 'quorate_store_keys', help: 'Live keys' },
  storeBytes: {
    kind: 'gauge',
    name: 'quorate_store_bytes',
    help: 'Size of the database as its limit counts it',
  },
  storeNoSpace: {
    kind: 'gauge',
    name: 'quorate_store_no_space',
    help: '1 while values are refused since a disk is nearly full',
  },
  diskFreeBytes: {
    kind: 'gauge',
    name: 'quorate_disk_free_bytes',
    help: 'What is free on the disk of the data directory',
  },
  stateMismatches: {
    kind: 'counter',
    name: 'quorate_state_mismatches_total',
    help: 'Times that nodes told this leader of different states after the same entry',
  },
  storeRevision: {
    kind: 'gauge',
    name: 'quorate_store_revision',
    help: 'Revision of the state: +1 per changing command',
  },
  gossipMembers: {
    kind: 'gauge',
    name: 'quorate_gossip_members',
    help: 'Gossip members, by state',
    labels: ['state'],
  },
  gossipPackets: {
    kind: 'counter',
    name: 'quorate_gossip_packets_total',
    help: 'Gossip packets, by what became of them',
    labels: ['result'],
  },
  quorumReachable: {
    kind: 'gauge',
    name: 'quorate_quorum_reachable',
    help: '1 while the present members could agree on an event',
  },
  quorumNeeded: {
    kind: 'gauge',
    name: 'quorate_quorum_needed',
    help: 'Members that must agree on an event',
  },
  verificationRuns: {
    kind: 'counter',
    name: 'quorate_verification_runs_total',
    help: 'Ended runs of the verification script, by what they said',
    labels: ['status'],
  },
  verificationSeconds: {
    kind: 'histogram',
    name: 'quorate_verification_seconds',
    help: 'One run of the verification script',
    buckets: scriptSeconds,
  },
  verificationsRunning: {
    kind: 'gauge',
    name: 'quorate_verifications_running',
    help: 'Verification scripts running now',
  },
  verificationsOverdue: {
    kind: 'gauge',
    name: 'quorate_verifications_overdue',
    help: 'Keys whose sample is overdue on this node',
  },
  decisionsWaiting: {
    kind: 'gauge',
    name: 'quorate_decisions_waiting',
    help: 'Keys with an agreement that is no event yet, on the leader',
  },
  abstaining: {
    kind: 'gauge',
    name: 'quorate_abstaining',
    help: '1 while this node abstains from votes because its own timers were late',
  },
  events: {
    kind: 'counter',
    name: 'quorate_events_total',
    help: 'Events applied by this node since its start, by status',
    labels: ['status'],
  },
  notifications: {
    kind: 'counter',
    name: 'quorate_notifications_total',
    help: 'Ended runs of the notification script on this node, by result',
    labels: ['result'],
  },
  notificationSeconds: {
    kind: 'histogram',
    name: 'quorate_notification_seconds',
    help: 'One run of the notification script',
    buckets: scriptSeconds,
  },
  notificationsOpen: {
    kind: 'gauge',
    name: 'quorate_notifications_open',
    help: 'Events whose tracked notification is pending or running',
  },
  httpRequests: {
    kind: 'counter',
    name: 'quorate_http_requests_total',
    help: 'HTTP requests answered, by route and status',
    labels: ['route', 'status'],
  },
  httpSeconds: {
    kind: 'histogram',
    name: 'quorate_http_request_seconds',
    help: 'From the headers of a request to its answer, by route',
    labels: ['route'],
    buckets: fastSeconds,
  },
  eventLoopLagSeconds: {
    kind: 'gauge',
    name: 'quorate_event_loop_lag_seconds',
    help: 'Longest delay of the event loop since the last scrape',
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricTable = typeof metricTable;
