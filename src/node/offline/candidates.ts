import type { Configuration, Member, RecoveredLog } from '../../raft/index.ts';
import { memberNamed } from '../../raft/index.ts';
import { QuorateError } from '../../shared/index.ts';
import type { LogInspection } from '../../storage/index.ts';
import { inspectLog } from '../../storage/index.ts';
import type { OfflineInit } from './data-at-rest.ts';
import { progressTo } from './data-at-rest.ts';
import { textTable } from './text-table.ts';

/** A data directory from which the cluster may go on. */
export interface Candidate {
  readonly dataDir: string;
  readonly log: RecoveredLog;
  readonly lastTerm: number;
  /** What is wrong with its log; null: it is whole. */
  readonly damage: string | null;
}

/** Throws CONFIG_INVALID when nothing of the log can be read. */
export async function readCandidate(init: OfflineInit, dataDir: string): Promise<Candidate> {
  const inspection = await inspectLog(
    { files: init.files, directory: `${dataDir}/log` },
    { onProgress: progressTo(init, `Bytes of the log in ${dataDir} read`) },
  );
  const log = inspection?.recovered ?? null;
  if (log === null) {
    const text = `Cannot use ${dataDir} as --dataDir: nothing of its log is readable`;
    throw new QuorateError('CONFIG_INVALID', text);
  }
  const lastTerm = log.termRuns.at(-1)?.term ?? log.base.term;
  return { dataDir, log, lastTerm, damage: damageOf(inspection) };
}

function damageOf(inspection: LogInspection | null): string | null {
  const finding = inspection?.findings[0];
  return finding === undefined
    ? null
    : `${finding.path} at byte ${finding.offset}: ${finding.what}`;
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

/** The whole log that is furthest ahead. Throws CONFIG_INVALID, or STORAGE_DAMAGED: none is whole. */
export function bestOf(candidates: readonly Candidate[]): Candidate {
  const [first] = candidates;
  for (const { dataDir, log } of candidates) {
    if (log.identity.clusterId === first?.log.identity.clusterId) continue;
    const found = `${dataDir} is of cluster ${log.identity.clusterId}`;
    const wanted = `one cluster, ${first?.log.identity.clusterId ?? ''}`;
    throw new QuorateError('CONFIG_INVALID', `Cannot recover from data of ${wanted}: ${found}`);
  }
  const whole = candidates.filter(({ damage }) => damage === null);
  const best = whole.reduce<Candidate | null>(
    (ahead, one) => (ahead === null || isAhead(one, ahead) ? one : ahead),
    null,
  );
  if (best !== null) return best;
  const found = candidates.map(({ damage }) => damage).join('; ');
  throw new QuorateError('STORAGE_DAMAGED', `Cannot recover from a whole log: ${found}`);
}

export function candidateTable(candidates: readonly Candidate[], best: Candidate): string {
  const heading = ['', 'directory', 'node', 'last term', 'last index', 'log'];
  const rows = candidates.map((one) => [
    ...[one === best ? '*' : '', one.dataDir, one.log.identity.nodeId],
    ...[one.lastTerm, one.log.lastIndex, one.damage === null ? 'whole' : 'DAMAGED'],
  ]);
  return textTable([heading, ...rows]);
}
