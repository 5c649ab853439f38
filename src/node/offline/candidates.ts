import type { Configuration, Member, RecoveredLog } from '../../raft/index.ts';
import { memberNamed } from '../../raft/index.ts';
import type { ClusterId } from '../../shared/index.ts';
import { QuorateError } from '../../shared/index.ts';
import { readFence } from '../cluster/fence.ts';
import type { OfflineInit } from './data-at-rest.ts';
import { textTable } from './text-table.ts';
import { examine } from './verify-log.ts';

/** A data directory from which the cluster may go on. */
export interface Candidate {
  readonly dataDir: string;
  readonly log: RecoveredLog;
  readonly lastTerm: number;
  /** The cluster that goes on without it, when its node was told of one. */
  readonly fencedBy: ClusterId | null;
  /** Why it cannot be gone on from; null: it can. */
  readonly damage: string | null;
}

/** Throws CONFIG_INVALID when nothing of the log can be read. */
export async function readCandidate(init: OfflineInit, dataDir: string): Promise<Candidate> {
  const { findings, recovered: log } = await examine(init, dataDir);
  if (log === null) {
    const text = `Cannot use ${dataDir} as --dataDir: nothing of its log is readable`;
    throw new QuorateError('CONFIG_INVALID', text);
  }
  const lastTerm = log.termRuns.at(-1)?.term ?? log.base.term;
  const damage = findings.map(({ where, what }) => `${where}: ${what}`).join('; ');
  const fencedBy = (await readFence(init.files, dataDir))?.cluster ?? null;
  return { dataDir, log, lastTerm, fencedBy, damage: damage === '' ? null : damage };
}

/** The newest configuration, committed or not. */
export const configurationOf = ({ log }: Candidate): Configuration =>
  (log.configurations.at(-1) ?? log.base.configuration).configuration;

/** The node of the directory, as its cluster lists it. Throws CONFIG_INVALID when it does not. */
export function ownMemberOf(candidate: Candidate): Member {
  const { nodeId } = candidate.log.identity;
  const member = memberNamed(configurationOf(candidate), nodeId);
  if (member !== undefined) return member;
  const found = `${nodeId} was no member of its cluster`;
  throw new QuorateError('CONFIG_INVALID', `Cannot recover from ${candidate.dataDir}: ${found}`);
}

/** Whether `one` has seen more: a log with a higher last term has what was committed before it. */
export const isAhead = (one: Candidate, other: Candidate): boolean =>
  one.lastTerm !== other.lastTerm
    ? one.lastTerm > other.lastTerm
    : one.log.lastIndex > other.log.lastIndex;

/** From which directory to go on, and which one is further ahead but unusable, if any. */
export interface Choice {
  readonly best: Candidate;
  readonly lost: Candidate | null;
}

/**
 * The usable directory that is furthest ahead. Throws CONFIG_INVALID for those of two clusters, and
 * STORAGE_DAMAGED when none is usable.
 */
export function choiceFrom(candidates: readonly Candidate[]): Choice {
  checkCluster(candidates);
  const best = furthestOf(candidates.filter(({ damage }) => damage === null));
  if (best === null) {
    const found = candidates.map(({ dataDir, damage }) => `${dataDir}: ${damage ?? ''}`).join('; ');
    const text = `Cannot recover from data that cannot be used: ${found}; see quorate log verify`;
    throw new QuorateError('STORAGE_DAMAGED', text);
  }
  const lost = furthestOf(candidates.filter((one) => isAhead(one, best)));
  return { best, lost };
}

function checkCluster(candidates: readonly Candidate[]): void {
  const wanted = candidates[0]?.log.identity.clusterId ?? '';
  for (const { dataDir, log } of candidates) {
    const { clusterId } = log.identity;
    if (clusterId === wanted) continue;
    const text = `Cannot recover from data of one cluster, ${wanted}: ${dataDir} is of cluster ${clusterId}`;
    throw new QuorateError('CONFIG_INVALID', text);
  }
}

const furthestOf = (candidates: readonly Candidate[]): Candidate | null =>
  candidates.reduce<Candidate | null>(
    (ahead, one) => (ahead === null || isAhead(one, ahead) ? one : ahead),
    null,
  );

/**
 * The last entry that both logs have: where their terms are the same at one index, all before it is the
 * same (Log Matching, section 5.3). What one of them compacted was committed and counts as held by both.
 */
export function lastCommonIndex({ log: one }: Candidate, { log: other }: Candidate): number {
  let common = Math.min(Math.max(one.base.index, other.base.index), one.lastIndex, other.lastIndex);
  for (const run of runsOf(one)) {
    const same = runsOf(other).find(({ term }) => term === run.term);
    if (same !== undefined) common = Math.max(common, Math.min(run.last, same.last));
  }
  return common;
}

const runsOf = ({ termRuns, lastIndex }: RecoveredLog) =>
  termRuns.map(({ term }, i) => ({
    term,
    last: (termRuns[i + 1]?.firstIndex ?? lastIndex + 1) - 1,
  }));

export function candidateTable(candidates: readonly Candidate[], best: Candidate): string {
  const heading = ['', 'directory', 'node', 'last term', 'last index', 'data'];
  const rows = candidates.map((one) => [
    ...[one === best ? '*' : '', one.dataDir, one.log.identity.nodeId],
    ...[one.lastTerm, one.log.lastIndex, one.damage === null ? 'whole' : 'UNUSABLE'],
  ]);
  return textTable([heading, ...rows]);
}
