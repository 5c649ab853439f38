import type { DecisionSettings } from '../shared/index.ts';
import type { Member } from './decision-types.ts';

/** Voters and observers, each node once: a node that is being replaced has one vote, not two. */
export function votingMembers(members: readonly Member[]): readonly Member[] {
  const byNode = new Map<string, Member>();
  for (const member of members) {
    if (member.role !== 'learner' && !byNode.has(member.node)) byNode.set(member.node, member);
  }
  return [...byNode.values()];
}

/**
 * Votes that an agreement needs: the setting, but never less than a majority of the members, so two
 * opposite agreements cannot both hold; below 2 only for a single member with the setting 1.
 */
export function effectiveQuorum(
  setting: DecisionSettings['gossipQuorum'],
  memberCount: number,
): number {
  if (setting === 1 && memberCount === 1) return 1;
  const majority = Math.floor(memberCount / 2) + 1;
  return Math.max(2, majority, setting === 'majority' ? 0 : setting);
}

/** Zones that must be among those who agree: `auto` asks for two as soon as members name two. */
export function requiredZones(
  setting: DecisionSettings['minZones'],
  members: readonly Member[],
): number {
  if (setting !== 'auto') return setting;
  return countZones(members.map((member) => member.zone)) >= 2 ? 2 : 1;
}

/** Distinct named zones; nodes without a zone together make one only when no other is named. */
export function countZones(zones: readonly string[]): number {
  if (zones.length === 0) return 0;
  return Math.max(1, new Set(zones.filter((zone) => zone !== '')).size);
}

/** How long a report backs its votes after its number advanced. */
export function freshnessLimitMs(intervalMs: number, timeoutMs: number): number {
  return 2.5 * intervalMs + timeoutMs;
}

/**
 * Why no agreement is possible with these members at all, however they vote; null when it is.
 * Not an error: members may still be on their way.
 */
export function quorumShortfall(
  settings: Pick<DecisionSettings, 'gossipQuorum' | 'minZones'>,
  members: readonly Member[],
): string | null {
  const voting = votingMembers(members);
  const quorum = effectiveQuorum(settings.gossipQuorum, voting.length);
  if (quorum > voting.length) return `${quorum} votes are needed of ${voting.length} members`;
  const zonesMin = requiredZones(settings.minZones, voting);
  const zones = countZones(voting.map((member) => member.zone));
  return zonesMin > zones ? `${zonesMin} zones are needed, members name ${zones}` : null;
}
