import type { Configuration } from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { peerIdOf } from '../../../src/shared/index.ts';

/** Whose agreement counts, told once more: a mistake of the code must not be one of its judge. */

/** Whether more than half of the voters agree and, within a joint change, of the outgoing ones. */
export function isOnQuorum(
  configuration: Configuration,
  agrees: (peer: PeerId) => boolean,
): boolean {
  const { outgoingVoters } = configuration;
  if (!isMajority(votersIn(configuration), agrees)) return false;
  return outgoingVoters.length === 0 || isMajority(outgoingVoters, agrees);
}

/** On either side of a joint change. */
export const isVoterIn = (configuration: Configuration, peer: PeerId): boolean =>
  votersIn(configuration).includes(peer) || configuration.outgoingVoters.includes(peer);

export const votersIn = ({ members }: Configuration): readonly PeerId[] =>
  members
    .filter(({ role }) => role === 'voter')
    .map(({ nodeId, incarnation }) => peerIdOf(nodeId, incarnation));

const isMajority = (voters: readonly PeerId[], agrees: (peer: PeerId) => boolean): boolean =>
  2 * voters.filter(agrees).length > voters.length;
