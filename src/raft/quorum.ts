import type { PeerId } from '../shared/index.ts';

/**
 * Whose agreement counts. While a joint change is under way both sets must agree, each by its own
 * majority (thesis 4.3); `outgoing` is empty otherwise. A set of no voters never agrees.
 */
export interface Electorate {
  readonly voters: readonly PeerId[];
  readonly outgoing: readonly PeerId[];
}

export const majorityOf = (voterCount: number): number => Math.floor(voterCount / 2) + 1;

/** The largest value that a quorum has reached, or 0: a match index, a read round. */
export function quorumValue(electorate: Electorate, valueOf: (peer: PeerId) => number): number {
  const incoming = majorityValue(electorate.voters, valueOf);
  if (electorate.outgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(electorate.outgoing, valueOf));
}

function majorityValue(voters: readonly PeerId[], valueOf: (peer: PeerId) => number): number {
  if (voters.length === 0) return 0;
  const descending = voters.map(valueOf).sort((a, b) => b - a);
  return descending[majorityOf(voters.length) - 1] ?? 0;
}

export function hasQuorum(electorate: Electorate, agrees: (peer: PeerId) => boolean): boolean {
  return quorumValue(electorate, (peer) => (agrees(peer) ? 1 : 0)) === 1;
}

export type VoteOutcome = 'won' | 'lost' | 'open';

/** `ballot`: who answered, and whether with yes. Answers of others than voters do not count. */
export function voteOutcome(
  electorate: Electorate,
  ballot: ReadonlyMap<PeerId, boolean>,
): VoteOutcome {
  if (hasQuorum(electorate, (peer) => ballot.get(peer) === true)) return 'won';
  const canStillWin = hasQuorum(electorate, (peer) => ballot.get(peer) !== false);
  return canStillWin ? 'open' : 'lost';
}

export const isElector = (electorate: Electorate, peer: PeerId): boolean =>
  electorate.voters.includes(peer) || electorate.outgoing.includes(peer);
