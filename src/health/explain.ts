import type { EventStatus } from '../shared/index.ts';
import { countZones } from './quorum.ts';
import { supportFor } from './tally.ts';
import type { Tally } from './tally.ts';

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

function sayText(target: EventStatus): string {
  return target === 'EMPTY_RECOVER' ? 'can tell again' : `say ${target}`;
}

/** `3 of 5 members in 2 zones say DOWN (needed: 3 in 2)`. */
export function agreementText(tally: Tally, target: EventStatus): string {
  const { votes, zones } = supportFor(tally, target);
  const members = plural(tally.votes.length, 'member');
  const needed = `needed: ${tally.quorum} in ${tally.minZones}`;
  return `${votes} of ${members} in ${plural(zones, 'zone')} ${sayText(target)} (${needed})`;
}

/** Why no target is agreed on. */
export function disagreementText(tally: Tally): string {
  const shares = (['UP', 'DOWN', 'EMPTY'] as const)
    .map((target) => `${target} ${supportFor(tally, target).votes}`)
    .join(', ');
  const abstaining = tally.votes.filter((vote) => vote.verdict === 'ABSTAIN').length;
  const needed = `${tally.quorum} of ${tally.votes.length} in ${plural(tally.minZones, 'zone')} needed`;
  return `no agreement: ${shares}, abstaining ${abstaining}; ${needed}${unreachable(tally)}`;
}

/** Says when no agreement is possible with these members at all. */
function unreachable(tally: Tally): string {
  if (tally.quorum > tally.votes.length) return '; more than there are members';
  const zones = countZones(tally.votes.map((vote) => vote.zone));
  return tally.minZones > zones ? '; more zones than members name' : '';
}
