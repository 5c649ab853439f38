import type { EventStatus, Evidence, Verdict } from '../shared/index.ts';
import type { DecideInput } from './decision-types.ts';
import { countZones, effectiveQuorum, requiredZones, votingMembers } from './quorum.ts';
import { castVotes } from './votes.ts';
import type { Vote } from './votes.ts';

/** The votes on one key with what an agreement among them takes. */
export interface Tally {
  readonly votes: readonly Vote[];
  readonly quorum: number;
  readonly minZones: number;
}

/** How many stand behind one target. */
export interface Support {
  readonly votes: number;
  readonly zones: number;
  readonly agreed: boolean;
}

/** Verdicts that speak for each target. A node that sees UP and DOWN mixed can tell again. */
const supporters: Readonly<Record<EventStatus, readonly Verdict[]>> = {
  UP: ['UP'],
  DOWN: ['DOWN'],
  EMPTY: ['EMPTY'],
  EMPTY_RECOVER: ['UP', 'DOWN', 'NO_EMPTY_IN_SAMPLES'],
};

export function tallyOf(input: DecideInput): Tally {
  const members = votingMembers(input.members);
  return {
    votes: castVotes(input),
    quorum: effectiveQuorum(input.settings.gossipQuorum, members.length),
    minZones: requiredZones(input.settings.minZones, members),
  };
}

function supports(vote: Vote, target: EventStatus): boolean {
  return vote.verdict !== 'ABSTAIN' && supporters[target].includes(vote.verdict);
}

export function supportFor(tally: Tally, target: EventStatus): Support {
  const zones: string[] = [];
  for (const vote of tally.votes) if (supports(vote, target)) zones.push(vote.zone);
  const support = { votes: zones.length, zones: countZones(zones) };
  const agreed = support.votes >= tally.quorum && support.zones >= tally.minZones;
  return { ...support, agreed };
}

/**
 * Monotonic milliseconds since when there have been fresh reports enough for the agreement on
 * `target`: a lapse that ended before anybody looked breaks it all the same.
 */
export function backedSinceMs(tally: Tally, target: EventStatus): number {
  const behind = tally.votes.filter((vote) => supports(vote, target));
  const zones: string[] = [];
  for (const vote of behind.sort((a, b) => a.sinceMs - b.sinceMs)) {
    zones.push(vote.zone);
    const isEnough = zones.length >= tally.quorum && countZones(zones) >= tally.minZones;
    if (isEnough) return vote.sinceMs;
  }
  return Number.POSITIVE_INFINITY;
}

/** The votes as they stood, each with why it did not count towards `target`. */
export function evidenceFor(tally: Tally, target: EventStatus): Evidence {
  return {
    quorum: tally.quorum,
    minZones: tally.minZones,
    votes: tally.votes.map((vote) => {
      const counted = supports(vote, target);
      return {
        node: vote.node,
        zone: vote.zone,
        verdict: vote.verdict,
        samples: vote.samples,
        ageMs: Math.round(vote.ageMs),
        counted,
        why: counted ? '' : vote.abstains || `says ${vote.verdict}`,
      };
    }),
  };
}

/** The target with the most votes: what an explanation without an agreement is about. */
export function leadingTarget(tally: Tally): EventStatus {
  const targets: readonly EventStatus[] = ['DOWN', 'UP', 'EMPTY'];
  const most = targets.map((target) => ({ target, votes: supportFor(tally, target).votes }));
  return most.reduce((best, next) => (next.votes > best.votes ? next : best)).target;
}
