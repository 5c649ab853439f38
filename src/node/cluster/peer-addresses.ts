import type { MemberView } from '../../gossip/index.ts';
import type { Configuration, Member } from '../../raft/index.ts';
import { peerIdOfMember } from '../../raft/index.ts';
import type { PeerId } from '../../shared/index.ts';
import { peerIdOf } from '../../shared/index.ts';

/**
 * Where to dial each member: the configuration's address, unless gossip has seen that very
 * incarnation alive elsewhere since. A node without a configuration yet answers whoever let it in.
 * Addresses are hints; identity is checked by every stream.
 */
export function peerAddresses(
  configuration: Configuration,
  gossip: readonly MemberView[],
  known: { readonly self: PeerId; readonly host: Member | null },
): ReadonlyMap<PeerId, string> {
  const addresses = new Map<PeerId, string>();
  const isNew = configuration.members.length === 0;
  if (isNew && known.host !== null) {
    addresses.set(peerIdOfMember(known.host), known.host.raftAddress);
  }
  for (const member of configuration.members) {
    addresses.set(peerIdOfMember(member), member.raftAddress);
  }
  for (const view of gossip) {
    const peer = peerIdOf(view.nodeId, view.incarnation);
    const isUsable = view.status === 'alive' && view.raftAddress !== '';
    if (isUsable && (isNew || addresses.has(peer))) addresses.set(peer, view.raftAddress);
  }
  addresses.delete(known.self);
  return addresses;
}
