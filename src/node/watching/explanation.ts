import type { DecideInput, Vote } from '../../health/index.ts';
import { castVotes, decide } from '../../health/index.ts';
import type { NodeId } from '../../shared/index.ts';

/** What a node that decides says about one key. */
export interface Explanation {
  /** One sentence: why there is an event, or why not. */
  readonly reason: string;
  /** Something is agreed on and no event yet; `reason` says what it waits for. */
  readonly isWaiting: boolean;
}

/** What one node decides about some keys, in their order. */
export interface Explanations {
  readonly decidedBy: NodeId;
  readonly list: readonly Explanation[];
}

/** A member's vote, with whether its last report is young enough to count. */
export type SeenVote = Pick<Vote, 'node' | 'zone' | 'verdict' | 'samples' | 'ageMs'> & {
  readonly fresh: boolean;
  /** Why it abstains; '' when it counts. */
  readonly why: string;
};

export function explanationOf(input: DecideInput): Explanation {
  const { kind, reason } = decide(input);
  return { reason, isWaiting: kind === 'waiting' };
}

/** The votes of all members as this process sees them. */
export const votesIn = (input: DecideInput): readonly SeenVote[] =>
  castVotes(input).map(({ node, zone, verdict, samples, ageMs, abstains }) => ({
    node,
    zone,
    verdict,
    samples,
    ageMs: Math.round(ageMs),
    fresh: ageMs >= 0 && ageMs <= input.freshMs,
    why: abstains,
  }));
