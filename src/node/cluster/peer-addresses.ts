import type { MemberView } from '../../gossip/index.ts';
import type { Configuration, Member } from '../../raft/index.ts';
import { peerIdOfMember } from '../../raft/index.ts';
import type { PeerId } from '../../shared/index.ts';
import { peerIdOf } from '../../shared/index.ts';

/**
 * Where to dial each member: the configuration's address, unless gossip has seen that very
 * incarnation alive elsewhere since. A node without a configuration yet answers whoever let it in.
 * Nodes that only gossip knows of count too: this node's configuration may be an old one, and who
 * is not in it may lead by now; without an answer he could never bring the newer one. A leader that
 * is being removed leads until that is committed, and commits it by the answers that he gets; until
 * then the other voters that leave have a say too. Addresses are hints; identity is checked by every
 * stream.
 */
export function peerAddresses(
  configuration: Configuration,
  gossip: readonly MemberView[],
  known: { readonly self: PeerId; readonly host: Member | null; readonly leader: PeerId | null },
): ReadonlyMap<PeerId, string> {
  const addresses = new Map<PeerId, string>();
  const isNew = configuration.members.length === 0;
  if (isNew && known.host !== null) {
    addresses.set(peerIdOfMember(known.host), known.host.raftAddress);
  }
  for (const member of [...configuration.members, ...(configuration.leaving ?? [])]) {
    addresses.set(peerIdOfMember(member), member.raftAddress);
  }
  for (const { nodeId, incarnation, status, raftAddress } of gossip) {
    const peer = peerIdOf(nodeId, incarnation);
    const isRemoved = configuration.removed.includes(peer) && !addresses.has(peer);
    const isGone = isRemoved && peer !== known.leader;
    if (raftAddress === '' || isGone) continue;
    // One that left gossip may well run; one that others take for dead is not worth a connection.
    const isUsable = addresses.has(peer) ? status === 'alive' : status !== 'dead';
    if (isUsable) addresses.set(peer, raftAddress);
  }
  addresses.delete(known.self);
  return addresses;
}
