import type { Evidence, EvidenceVote, NodeId } from '../shared/index.ts';
import { asNodeId } from '../shared/index.ts';
import { cutText } from './binary.ts';
import { eventLimits } from './limits.ts';

export const cutName = (name: string): string => cutText(name, eventLimits.nameBytesMax);
export const cutNode = (node: NodeId): NodeId => asNodeId(cutName(node));

/** Evidence with its lists and texts cut to their limits. */
export const boundedEvidence = (evidence: Evidence): Evidence => ({
  quorum: evidence.quorum,
  minZones: evidence.minZones,
  votes: evidence.votes.slice(0, eventLimits.votesMax).map(boundedVote),
});

const boundedVote = (vote: EvidenceVote): EvidenceVote => ({
  ...vote,
  node: cutNode(vote.node),
  zone: cutName(vote.zone),
  why: cutName(vote.why),
  samples: vote.samples.slice(0, eventLimits.samplesMax),
});
