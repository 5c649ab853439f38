import { effectiveQuorum, votingMembers } from '../health/index.ts';
import type { ScriptRunner } from '../runner/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { CurrentMember } from './api/index.ts';
import type { ClusterMember } from './cluster-member.ts';

const raftRoles = ['follower', 'preCandidate', 'candidate', 'leader'] as const;
const memberRoles = ['voter', 'learner', 'observer'] as const;
const gossipStates = ['alive', 'suspect', 'dead', 'left'] as const;

/** Sets the gauges right before each scrape. */
export function observe(
  metrics: Metrics,
  current: CurrentMember,
  runner: () => ScriptRunner | null,
): void {
  metrics.onScrape(() => {
    metrics.verificationsRunning.set(runner()?.counts.verifyRunning ?? 0);
    const member = current.member();
    if (member === null) return;
    observeRaft(metrics, member);
    observeStore(metrics, member);
    observeAgreement(metrics, member);
  });
}

function observeRaft(metrics: Metrics, member: ClusterMember): void {
  const { view, configuration } = member.replica;
  metrics.raftTerm.set(view.term);
  metrics.raftHasLeader.set(view.leader === null ? 0 : 1);
  metrics.diskStalled.set(member.replica.isDiskStalled ? 1 : 0);
  metrics.raftCommitIndex.set(view.commitIndex);
  metrics.raftAppliedIndex.set(view.appliedIndex);
  metrics.raftLastIndex.set(view.lastIndex);
  for (const role of raftRoles) metrics.raftRole.set(view.role === role ? 1 : 0, role);
  for (const role of memberRoles) {
    metrics.raftMembers.set(configuration.members.filter((one) => one.role === role).length, role);
  }
}

function observeStore(metrics: Metrics, member: ClusterMember): void {
  const { machine } = member.replica.state;
  metrics.storeKeys.set(machine.keyCount);
  metrics.storeBytes.set(machine.databaseBytes);
  metrics.storeRevision.set(machine.revision);
  metrics.storeNoSpace.set(machine.noSpace === '' ? 0 : 1);
  const { freeBytes } = member.condition;
  if (freeBytes !== null) metrics.diskFreeBytes.set(freeBytes);
  metrics.notificationsOpen.set(machine.openNotifications().length);
}

function observeAgreement(metrics: Metrics, member: ClusterMember): void {
  const { watching } = member;
  const members = member.gossip.members();
  for (const state of gossipStates) {
    metrics.gossipMembers.set(members.filter((one) => one.status === state).length, state);
  }
  metrics.quorumReachable.set(watching.shortfall() === null ? 1 : 0);
  const voting = votingMembers(watching.voters()).length;
  metrics.quorumNeeded.set(effectiveQuorum(member.settings().gossipQuorum, voting));
  metrics.abstaining.set(watching.abstains || member.presence.hasLeft ? 1 : 0);
  metrics.verificationsOverdue.set(watching.watcher?.overdueCount() ?? 0);
}
