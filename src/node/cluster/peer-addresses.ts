import type { MemberView } from '../../gossip/index.ts';
import type { Configuration } from '../../raft/index.ts';
import { peerIdOfMember } from '../../raft/index.ts';
import type { PeerId } from '../../shared/index.ts';
import { peerIdOf } from '../../shared/index.ts';

/**
 * Where to dial each member: the configuration's address, unless gossip has seen that very
 * incarnation alive elsewhere since. Addresses are hints; identity is checked by every stream.
 */
export function peerAddresses(
  configuration: Configuration,
  gossip: readonly MemberView[],
  self: PeerId,
): ReadonlyMap<PeerId, string> {
  const addresses = new Map<PeerId, string>();
  for (const member of configuration.members) {
    addresses.set(peerIdOfMember(member), member.raftAddress);
  }
  for (const view of gossip) {
    const peer = peerIdOf(view.nodeId, view.incarnation);
    const isUsable = view.status === 'alive' && view.raftAddress !== '';
    if (isUsable && addresses.has(peer)) addresses.set(peer, view.raftAddress);
  }
  addresses.delete(self);
  return addresses;
}
