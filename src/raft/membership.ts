import { peerIdOf } from '../shared/index.ts';
import type { NodeId, PeerId } from '../shared/index.ts';
import type { Configuration, Member, MemberChange } from './types.ts';

/** Removed incarnations that a configuration remembers; the oldest are forgotten beyond. */
export const REMOVED_MAX = 256;
/** Members of a configuration, observers included. */
export const MEMBERS_MAX = 1000;

/** Of a node that has not joined a cluster. */
export const emptyConfiguration: Configuration = { members: [], outgoingVoters: [], removed: [] };

/** The first configuration of a cluster: `member` alone, as voter. */
export const bootstrapConfiguration = (member: Member): Configuration => ({
  ...emptyConfiguration,
  members: [{ ...member, role: 'voter' }],
});

export const peerIdOfMember = (member: Member): PeerId =>
  peerIdOf(member.nodeId, member.incarnation);

export const votersOf = (configuration: Configuration): readonly PeerId[] =>
  configuration.members.filter(({ role }) => role === 'voter').map(peerIdOfMember);

export const memberOf = (configuration: Configuration, peer: PeerId): Member | undefined =>
  configuration.members.find((member) => peerIdOfMember(member) === peer);

export const memberNamed = (configuration: Configuration, nodeId: NodeId): Member | undefined =>
  configuration.members.find((member) => member.nodeId === nodeId);

/** The configuration after a change, or why the change makes no sense. */
export type ChangeResult =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly message: string };

const refused = (message: string): ChangeResult => ({ ok: false, message });

/**
 * Applies one change. At most one voter comes or goes, so that any quorum before it meets any
 * quorum after it (thesis 4.1); at least one voter always stays.
 */
export function applyMemberChange(
  configuration: Configuration,
  change: MemberChange,
): ChangeResult {
  switch (change.kind) {
    case 'add':
      return add(configuration, change.member);
    case 'remove':
      return remove(configuration, change.nodeId);
    case 'update':
      return update(configuration, change.member);
  }
}

/** The learner as voter; the change that the leader makes by itself. */
export function promote(configuration: Configuration, learner: PeerId): Configuration {
  const members = configuration.members.map((member) =>
    peerIdOfMember(member) === learner && member.role === 'learner'
      ? { ...member, role: 'voter' as const }
      : member,
  );
  return { ...configuration, members };
}

function add(configuration: Configuration, member: Member): ChangeResult {
  const peer = peerIdOfMember(member);
  const action = `Cannot add ${peer}`;
  if (member.role === 'voter') return refused(`${action} as learner or observer: role is voter`);
  if (configuration.removed.includes(peer)) {
    return refused(`${action} as a new member: this incarnation was removed`);
  }
  const older = memberNamed(configuration, member.nodeId);
  if (older?.incarnation === member.incarnation) {
    return refused(`${action} as a new member: it is one`);
  }
  const others = configuration.members.filter((other) => other !== older);
  if (!others.some(({ role }) => role === 'voter')) {
    return refused(`${action} in place of ${older?.incarnation ?? 'none'}: no voter would be left`);
  }
  if (others.length >= MEMBERS_MAX) {
    return refused(`${action} as one of ${MEMBERS_MAX} members: all are taken`);
  }
  const clash = addressClash(others, member);
  if (clash !== null) return refused(`${action} with addresses of its own: ${clash}`);
  const removed = older ? remember(configuration.removed, older) : configuration.removed;
  return { ok: true, configuration: { ...configuration, members: [...others, member], removed } };
}

function remove(configuration: Configuration, nodeId: NodeId): ChangeResult {
  const member = memberNamed(configuration, nodeId);
  if (!member) return refused(`Cannot remove ${nodeId} as a member: it is none`);
  const members = configuration.members.filter((other) => other !== member);
  if (!members.some(({ role }) => role === 'voter')) {
    return refused(`Cannot remove ${nodeId} as one of several voters: it is the last voter`);
  }
  const removed = remember(configuration.removed, member);
  return { ok: true, configuration: { ...configuration, members, removed } };
}

function update(configuration: Configuration, wanted: Member): ChangeResult {
  const peer = peerIdOfMember(wanted);
  const present = memberOf(configuration, peer);
  if (!present) return refused(`Cannot update ${peer} as a member: it is none`);
  const others = configuration.members.filter((other) => other !== present);
  const clash = addressClash(others, wanted);
  if (clash !== null) return refused(`Cannot update ${peer} to addresses of its own: ${clash}`);
  const updated = { ...wanted, role: present.role };
  const members = configuration.members.map((member) => (member === present ? updated : member));
  return { ok: true, configuration: { ...configuration, members } };
}

const addressFields = ['raftAddress', 'httpAddress', 'gossipAddress'] as const;

function addressClash(others: readonly Member[], member: Member): string | null {
  for (const field of addressFields) {
    const address = member[field];
    const owner = others.find((other) => address !== '' && other[field] === address);
    if (owner) return `${field} ${address} belongs to ${owner.nodeId}`;
  }
  return null;
}

const remember = (removed: readonly PeerId[], member: Member): readonly PeerId[] =>
  [...removed, peerIdOfMember(member)].slice(-REMOVED_MAX);
