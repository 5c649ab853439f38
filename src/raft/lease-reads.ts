import type { Leadership } from './leadership.ts';
import { quorumValue } from './quorum.ts';
import type { RaftState } from './state.ts';

/**
 * Lease reads (thesis 6.4.1), opt-in. A voter that hears its leader helps nobody else to office for
 * the shortest election timeout. So from the moment a round was sent until that time has passed on
 * the slowest voter's clock, a quorum's answer to it shows that nobody else leads.
 */

/** How much faster another node's clock may run. */
const DRIFT = 0.1;
/** A tick credits so many heartbeat intervals at most, be it right after a leader's message. */
export const CREDIT_HEARTBEATS_MAX = 2;

/** How long a confirmed round rules other leaders out. 0 or less: never. */
export function leaseMsOf({ electionTimeoutMsMin, heartbeatMs }: RaftState['settings']): number {
  return electionTimeoutMsMin * (1 - DRIFT) - CREDIT_HEARTBEATS_MAX * heartbeatMs;
}

/** Begins a round with the heartbeats that follow, so that the lease goes on without reads. */
export function beginLeaseRound(
  { settings }: RaftState,
  leadership: Leadership,
  nowMs: number | undefined,
): void {
  if (!settings.leaseReads || nowMs === undefined) return;
  leadership.readRound += 1;
  leadership.lease.sent({ round: leadership.readRound, atMs: nowMs });
}

/** Somebody confirmed a round. */
export function renewLease(state: RaftState, leadership: Leadership): void {
  const { lease, peers, readRound } = leadership;
  if (!lease.isWaiting) return;
  const confirmed = quorumValue(state.configurations.electorate, (peer) =>
    peer === state.self ? readRound : (peers.get(peer)?.readRound ?? 0),
  );
  lease.confirmed(confirmed, leaseMsOf(state.settings));
}

/** Until when reads may be answered by the lease at `nowMs`; null: a round is needed. */
export function leaseAt(
  state: RaftState,
  leadership: Leadership,
  nowMs: number | undefined,
): number | null {
  const { lease, noopIndex } = leadership;
  if (!state.settings.leaseReads || nowMs === undefined) return null;
  if (state.transfer || lease.isForfeited || state.commitIndex < noopIndex) return null;
  return nowMs < lease.untilMs ? lease.untilMs : null;
}
