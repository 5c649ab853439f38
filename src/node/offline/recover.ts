import { resolve } from 'node:path';
import { asTerm, lineageOf, withLineage } from '../../shared/index.ts';
import type { LogPlace } from '../../storage/index.ts';
import { condemnedName, unfinishedLogName } from '../cluster/data-directory.ts';
import type { Candidate } from './candidates.ts';
import {
  candidateTable,
  choiceFrom,
  configurationOf,
  lastCommonIndex,
  ownMemberOf,
  readCandidate,
} from './candidates.ts';
import type { DataUse, OfflineInit } from './data-at-rest.ts';
import { progressTo, whileLocked, withDataAtRest } from './data-at-rest.ts';
import type { Successor } from './recovered-log.ts';
import { copyLog } from './recovered-log.ts';
import { readCondemnation } from './verify-log.ts';

export interface RecoverOptions {
  /** At least one. */
  readonly dataDirs: readonly string[];
  /** The operator has read what it would do. */
  readonly isConfirmed: boolean;
  readonly wallMs: number;
}

/** Of the mark in the new cluster id: so that the same second on several machines is no harm. */
const markBytes = 4;

/**
 * `quorate recover`: a cluster that lost its majority for good goes on from one directory, with that
 * node alone. Resolves with the exit code: 0 done, 1 the data is damaged, 2 nothing was changed.
 */
export async function recover(init: OfflineInit, options: RecoverOptions): Promise<number> {
  const dataDirs = [...new Set(options.dataDirs.map((one) => resolve(one)))];
  for (const dataDir of dataDirs) {
    if (!(await isInterrupted(init, dataDir))) continue;
    const use = { path: dataDir, purpose: 'change' } as const;
    await whileLocked(init, use, () => finishRecovery(init, dataDir));
    init.writeOut(`Finished the recovery of ${dataDir}, which had been interrupted.\n`);
    return 0;
  }
  const purpose = options.isConfirmed ? 'change' : 'look';
  const uses = dataDirs.map((path) => ({ path, purpose }) as const);
  return withAllAtRest(init, uses, () => recoverFrom(init, { ...options, dataDirs }));
}

async function recoverFrom(init: OfflineInit, options: RecoverOptions): Promise<number> {
  const candidates: Candidate[] = [];
  for (const dataDir of options.dataDirs) candidates.push(await readCandidate(init, dataDir));
  const { best, lost } = choiceFrom(candidates);
  if (lost !== null) {
    init.writeOut(`${candidateTable(candidates, lost)}\n`);
    init.writeError(refusal(lost, best));
    return 1;
  }
  const successor = successorOf(best, candidates, {
    wallMs: options.wallMs,
    mark: init.random.hex(markBytes),
  });
  init.writeOut(`${candidateTable(candidates, best)}\n${plan(best, candidates, successor)}`);
  await tellCondemnation(init, best);
  if (!options.isConfirmed) {
    init.writeOut('\nNothing was changed. To do it: the same command with --yes\n');
    return 2;
  }
  await carryOut(init, best, successor);
  const { nodeId } = best.log.identity;
  init.writeOut(
    `\nDone. Start ${nodeId} with --dataDir=${best.dataDir}; then start the others with empty ` +
      `directories and --join to its HTTP address.\nThe log as it was is in ${best.dataDir}/` +
      `${beforeName(successor)}: delete it when all is well.\n`,
  );
  return 0;
}

/** The data is whole, so the operator may decide otherwise than the node did, knowing why. */
async function tellCondemnation(init: OfflineInit, { dataDir, log }: Candidate): Promise<void> {
  const reason = await readCondemnation(init.files, dataDir);
  if (reason === null) return;
  init.writeOut(
    `\nWARNING: ${log.identity.nodeId} condemned this data while it ran: ${reason}\n` +
      'Nothing is wrong with it now. The recovery removes the note, and the data is used again.\n',
  );
}

function successorOf(
  best: Candidate,
  candidates: readonly Candidate[],
  { wallMs, mark }: { readonly wallMs: number; readonly mark: string },
): Successor {
  const seconds = Math.floor(wallMs / 1000);
  const { clusterId } = best.log.identity;
  // Later than what fenced any of them too, or it would stay fenced.
  const known = candidates.map(({ fencedBy }) => lineageOf(fencedBy ?? clusterId));
  const lineage = Math.max(...known.map((one) => one + 1), lineageOf(clusterId) + 1, seconds);
  const terms = candidates.map(({ log }) => log.hardState.term);
  return {
    clusterId: withLineage(clusterId, lineage, mark),
    term: asTerm(Math.max(...terms) + 1),
    member: ownMemberOf(best),
    epoch: lineage,
    wallMs,
  };
}

/** What will be, in sentences. */
function plan(best: Candidate, candidates: readonly Candidate[], successor: Successor): string {
  const { log, dataDir } = best;
  const { nodeId } = log.identity;
  const others = configurationOf(best).members.filter((one) => one.nodeId !== nodeId);
  const names = others
    .map((one) => `${one.nodeId} (${one.role})`)
    .sort()
    .join(', ');
  const lines = [
    `Recovering from ${dataDir}, as node ${nodeId}, which will be the only voter.`,
    `Kept: the state and all entries up to ${log.lastIndex}, also those that may not have been committed.`,
    `Lost: what a majority acknowledged that did not reach this log; nothing here can tell whether there is any.`,
    `New: cluster ${successor.clusterId}, term ${successor.term}, tokens of epoch ${successor.epoch} or above.`,
  ];
  if (names !== '') {
    lines.push(
      `No longer members: ${names}. With their old data they end when they reach a node of the new cluster, ` +
        'and do not start again; with empty directories they may join.',
      'WARNING: those that cannot reach it are NOT fenced from clients. If a majority of the old ' +
        'voters is alive behind a broken network, it goes on acknowledging writes and running ' +
        'notifications: make sure that it is switched off.',
    );
  }
  for (const { dataDir: other, damage, fencedBy } of candidates) {
    if (fencedBy !== null) {
      lines.push(
        `WARNING: ${other} was left behind by an earlier recovery: cluster ${fencedBy} goes on without it. ` +
          'It does not look for its old members: switch it off before you start this one.',
      );
    }
    if (damage !== null) lines.push(`WARNING: ${other} cannot be used: ${damage}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** To lose what the others may have acknowledged is for the operator to decide, not for us. */
function refusal(lost: Candidate, next: Candidate): string {
  const first = lastCommonIndex(lost, next) + 1;
  const { lastIndex } = lost.log;
  const entries = first === lastIndex ? `entry ${first}` : `entries ${first} to ${lastIndex}`;
  return (
    `Cannot recover from ${lost.dataDir}, which is furthest ahead: ${lost.damage ?? ''}; see quorate log verify\n` +
    `The next best is ${next.dataDir}. It lacks ${entries} of ${lost.dataDir}, and what can no more be read there: that ` +
    `would be lost. To go on with it all the same, name it alone: quorate recover --dataDir=${next.dataDir}\n`
  );
}

async function carryOut(init: OfflineInit, best: Candidate, successor: Successor): Promise<void> {
  const { files } = init;
  const { dataDir } = best;
  await copyLog(
    {
      from: placeOf(init, `${dataDir}/log`),
      to: placeOf(init, `${dataDir}/${unfinishedLogName}`),
      onProgress: progressTo(init, 'Entries written'),
    },
    successor,
  );
  // From here on a repeated `recover` finishes what is left.
  await files.rename(`${dataDir}/log`, `${dataDir}/${beforeName(successor)}`);
  await files.syncDirectory(dataDir);
  await finishRecovery(init, dataDir);
}

const beforeName = ({ epoch }: Successor): string => `log-before-recovery-${epoch}`;

/** A recovery whose new log was whole when it ended. */
async function isInterrupted({ files }: OfflineInit, dataDir: string): Promise<boolean> {
  const names = (await files.list(dataDir)) ?? [];
  return !names.includes('log') && names.includes(unfinishedLogName);
}

/** Under the lock; somebody else may have finished it before this process had that. */
async function finishRecovery(init: OfflineInit, dataDir: string): Promise<void> {
  if (!(await isInterrupted(init, dataDir))) return;
  const { files } = init;
  // Those of the old cluster fit no new one. Gone before the log is there: then nothing is left to do.
  await files.remove(`${dataDir}/snapshots`);
  await files.remove(`${dataDir}/${condemnedName}`);
  await files.syncDirectory(dataDir);
  await files.rename(`${dataDir}/${unfinishedLogName}`, `${dataDir}/log`);
  await files.syncDirectory(dataDir);
}

function placeOf(init: OfflineInit, directory: string): LogPlace {
  const { files, writeError, logSettings: settings } = init;
  const say = (_: unknown, message: string): void => writeError(`${message}\n`);
  const logger = { debug: () => undefined, info: say, warn: say, error: say };
  return { files, directory, settings, logger };
}

/** No daemon uses any of the directories while `work` runs. */
function withAllAtRest<T>(
  init: OfflineInit,
  [first, ...rest]: readonly DataUse[],
  work: () => Promise<T>,
): Promise<T> {
  if (first === undefined) return work();
  return withDataAtRest(init, first, () => withAllAtRest(init, rest, work));
}
