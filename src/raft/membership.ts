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

/** The configuration after changes, or why they make no sense. */
export type ChangeResult =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly message: string };

type Removal = Extract<MemberChange, { readonly kind: 'remove' }>;

const refused = (message: string): ChangeResult => ({ ok: false, message });

/**
 * The target of all `changes`, made one after the other; at least one voter is left in the end. It
 * is not yet joint: see `jointOf`.
 */
export function applyMemberChanges(
  configuration: Configuration,
  changes: readonly MemberChange[],
): ChangeResult {
  if (changes.length === 0) return refused('Cannot change members: no change is named');
  let target = configuration;
  for (const change of changes) {
    const result = applyOne(target, change);
    if (!result.ok) return result;
    target = result.configuration;
  }
  if (votersOf(target).length > 0) return { ok: true, configuration: target };
  const names = votersOf(configuration).join(', ');
  return refused(`Cannot remove the last voter: ${names} gone, none would be left`);
}

function applyOne(configuration: Configuration, change: MemberChange): ChangeResult {
  switch (change.kind) {
    case 'add':
      return add(configuration, change.member);
    case 'promote':
      return promote(configuration, change.nodeId);
    case 'remove':
      return remove(configuration, change);
    case 'update':
      return update(configuration, change.member);
  }
}

/** Whether both have the same voters: then one needs no transition to become the other. */
export function hasSameVoters(one: Configuration, other: Configuration): boolean {
  const voters = new Set(votersOf(one));
  const others = votersOf(other);
  return voters.size === others.length && others.every((peer) => voters.has(peer));
}

/** The joint configuration on the way from `old` to `target`: C old,new of thesis 4.3. */
export function jointOf(old: Configuration, target: Configuration): Configuration {
  const leaving = old.members.filter(
    (member) => member.role === 'voter' && !memberOf(target, peerIdOfMember(member)),
  );
  return { ...target, outgoingVoters: votersOf(old), ...(leaving.length > 0 && { leaving }) };
}

/** What a joint configuration becomes: C new. */
export const leftJoint = ({ members, removed }: Configuration): Configuration => ({
  members,
  outgoingVoters: [],
  removed,
});

/** A member, or an outgoing voter that is none any more. */
export const listedPeer = (configuration: Configuration, peer: PeerId): Member | undefined =>
  memberOf(configuration, peer) ??
  configuration.leaving?.find((member) => peerIdOfMember(member) === peer);

function promote(configuration: Configuration, nodeId: NodeId): ChangeResult {
  const member = memberNamed(configuration, nodeId);
  if (!member) return refused(`Cannot promote ${nodeId} to voter: it is no member`);
  if (member.role === 'voter') return refused(`Cannot promote ${nodeId} to voter: it is one`);
  return replaced(configuration, member, { ...member, role: 'voter' });
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
  if (others.length >= MEMBERS_MAX) {
    return refused(`${action} as one of ${MEMBERS_MAX} members: all are taken`);
  }
  const clash = addressClash(others, member);
  if (clash !== null) return refused(`${action} with addresses of its own: ${clash}`);
  const removed = older ? remember(configuration.removed, older) : configuration.removed;
  return { ok: true, configuration: { ...configuration, members: [...others, member], removed } };
}

function remove(configuration: Configuration, { nodeId, incarnation }: Removal): ChangeResult {
  const member = memberNamed(configuration, nodeId);
  if (!member) return refused(`Cannot remove ${nodeId} as a member: it is none`);
  if (incarnation !== undefined && incarnation !== member.incarnation) {
    const found = `${peerIdOfMember(member)} has its name now; ask again if that one is to go`;
    return refused(`Cannot remove ${peerIdOf(nodeId, incarnation)} as a member: ${found}`);
  }
  const members = configuration.members.filter((other) => other !== member);
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
  return replaced(configuration, present, { ...wanted, role: present.role });
}

function replaced(configuration: Configuration, present: Member, wanted: Member): ChangeResult {
  const members = configuration.members.map((member) => (member === present ? wanted : member));
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
