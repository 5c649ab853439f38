import { basename } from 'node:path';
import type { RecoveredLog } from '../../raft/index.ts';
import type { ClusterId } from '../../shared/index.ts';
import { codeOf, QuorateError } from '../../shared/index.ts';
import type { Files, LogInspection } from '../../storage/index.ts';
import {
  inspectLog,
  listSnapshots,
  stateDirectory,
  verifySnapshot,
  verifyState,
} from '../../storage/index.ts';
import { condemnedName } from '../cluster/data-directory.ts';
import { fenceFile, isFencedBy, readFence } from '../cluster/fence.ts';
import { readSmallFile } from '../cluster/small-file.ts';
import { progressTo, withDataAtRest } from './data-at-rest.ts';
import type { OfflineInit } from './data-at-rest.ts';
import { StateContents } from './state-contents.ts';

/** Something that is wrong with the data of a node. */
export interface Finding {
  /** Which file, and where in it. */
  readonly where: string;
  readonly what: string;
  readonly means: string;
  readonly todo: string;
}

const withMajorityTodo =
  'start the node while a majority of the others runs: it sets this data aside and comes back as a ' +
  'new incarnation';
const rebuildTodo =
  `${withMajorityTodo}. With no majority left, run quorate recover on another directory, or on a copy ` +
  'of this one, in which nothing is wrong; it refuses this one';
const condemnedTodo =
  `${withMajorityTodo}. With no majority left, or none ever, quorate recover goes on from this ` +
  'directory if nothing else is wrong with it, and removes the file';

/**
 * `quorate log verify`: everything that a start checks, and what it does not: all rows of the state, all
 * chunks of the snapshots. Changes nothing. Resolves with the exit code: 0 when nothing is wrong.
 */
export async function verifyData(init: OfflineInit, dataDir: string): Promise<number> {
  const use = { path: dataDir, purpose: 'look' } as const;
  const { findings, notes } = await withDataAtRest(init, use, async () => {
    const data = await examine(init, dataDir);
    const snapshots = await examineSnapshots(init, dataDir);
    const markers = await markerFindings(init, dataDir);
    const clusterId = data.recovered?.identity.clusterId ?? null;
    const fence = await fenceFindings(init, { dataDir, clusterId });
    return {
      findings: [...data.findings, ...snapshots.findings, ...markers, ...fence],
      notes: [...data.notes, ...snapshots.notes],
    };
  });
  for (const note of notes) init.writeOut(`${note}\n`);
  for (const [i, { where, what, means, todo }] of findings.entries()) {
    init.writeOut(`\n${i + 1}. ${where}: ${what}\n   it means: ${means}\n   to do: ${todo}\n`);
  }
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  init.writeOut(findings.length === 0 ? 'Nothing is wrong.\n' : `\n${count}.\n`);
  return findings.length === 0 ? 0 : 1;
}

interface Examination {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** What the data that a node depends on says itself, whatever its node noted about it. */
export async function examine(
  init: OfflineInit,
  dataDir: string,
): Promise<Examination & { readonly recovered: RecoveredLog | null }> {
  const findings: Finding[] = [];
  const notes: string[] = [];
  const inspection = await inspectLog(
    { files: init.files, directory: `${dataDir}/log` },
    { onProgress: progressTo(init, `Bytes of the log in ${dataDir} verified`) },
  );
  findings.push(...logFindings(dataDir, inspection));
  notes.push(...logNotes(inspection));
  const recovered = inspection?.recovered ?? null;
  if (recovered !== null) {
    const state = await examineState(init, dataDir, {
      recovered,
      isLogWhole: findings.length === 0,
    });
    findings.push(...state.findings);
    notes.push(...state.notes);
  }
  return { findings, notes, recovered };
}

function logFindings(dataDir: string, inspection: LogInspection | null): readonly Finding[] {
  if (inspection === null) {
    const means = 'nothing says what this node voted for or acknowledged';
    return [{ where: `${dataDir}/log`, what: 'there are no segments', means, todo: rebuildTodo }];
  }
  const last = inspection.recovered?.lastIndex;
  const means =
    last === undefined
      ? 'nothing of the log can be trusted'
      : `the log can be trusted up to entry ${last} at most, and votes given later are not known`;
  return inspection.findings.map(({ path, offset, what }) => ({
    where: `${basename(path)} at byte ${offset}`,
    ...{ what, means, todo: rebuildTodo },
  }));
}

function logNotes(inspection: LogInspection | null): readonly string[] {
  if (inspection === null) return [];
  const { segments, torn, recovered } = inspection;
  const records = segments.reduce((sum, segment) => sum + segment.records, 0);
  const notes = [
    `log: ${segments.length} segments, ${records} records, entries up to ${recovered?.lastIndex ?? 0}`,
  ];
  if (torn !== null) {
    const where = `${basename(torn.path)} at byte ${torn.offset}`;
    notes.push(
      `log: a crash left ${torn.bytes} bytes incomplete (${where}); nobody was told that they are there, the next start cuts them off`,
    );
  }
  return notes;
}

interface StateWanted {
  readonly recovered: RecoveredLog;
  /** Else nobody knows what the state should reach. */
  readonly isLogWhole: boolean;
}

async function examineState(
  init: OfflineInit,
  dataDir: string,
  { recovered: { base, generation, lastIndex }, isLogWhole }: StateWanted,
): Promise<Examination> {
  const directory = stateDirectory(dataDir, generation);
  const where = basename(directory);
  const { readOnlyKvFactory: kvFactory } = init;
  if (!(await kvFactory.list(dataDir)).includes(where)) return missingState(where, base.index);
  const contents = new StateContents();
  const tell = progressTo(init, 'Rows of the state verified');
  const verified = await verifyState(
    { kvFactory, directory },
    {
      onRow: (row, value) => contents.add(row, value),
      onProgress: (rows) => tell(rows, 0),
    },
  );
  const { appliedIndex, rows } = verified;
  const means = 'the state cannot be loaded, or would differ from that of the other nodes';
  const problems = [...contents.problems(verified)];
  if (
    isLogWhole &&
    appliedIndex !== null &&
    (appliedIndex < base.index || appliedIndex > lastIndex)
  ) {
    problems.push(
      `it reaches index ${appliedIndex}, the log has ${base.index + 1} to ${lastIndex}`,
    );
  }
  const todo =
    base.index === 0 && isLogWhole ? `${rebuildTodo}. ${replayTodo(where)}` : rebuildTodo;
  return {
    findings: problems.map((what) => ({ where, what, means, todo })),
    notes: [`${where}: ${rows} rows, applied up to ${appliedIndex ?? 'an unknown index'}`],
  };
}

const replayTodo = (where: string): string =>
  `Here the log still has everything: with ${where} moved away (not deleted) the node makes it anew`;

/** An empty one is as good when the log still has everything. */
function missingState(where: string, baseIndex: number): Examination {
  if (baseIndex === 0) return { findings: [], notes: [`${where}: not there, the log has it all`] };
  const what = 'the state that the log builds on is missing';
  const means = `what entries up to ${baseIndex} did is gone from this node`;
  return { findings: [{ where, what, means, todo: rebuildTodo }], notes: [] };
}

async function examineSnapshots({ files }: OfflineInit, dataDir: string): Promise<Examination> {
  const findings: Finding[] = [];
  const snapshots = await listSnapshots(files, `${dataDir}/snapshots`);
  for (const { path } of snapshots) {
    const what = await verifySnapshot(files, path).then(() => null, damageOf);
    if (what === null) continue;
    const means = 'it cannot be sent to other nodes; nothing of this node depends on it';
    findings.push({ where: basename(path), what, means, todo: `delete ${path}` });
  }
  return { findings, notes: [`snapshots: ${snapshots.length}`] };
}

async function markerFindings({ files }: OfflineInit, dataDir: string): Promise<Finding[]> {
  const reason = await readCondemnation(files, dataDir);
  if (reason === null) return [];
  const what = `the node itself found its data to be wrong while it ran: ${reason}`;
  const means = 'the data is not used any more';
  return [{ where: condemnedName, what, means, todo: condemnedTodo }];
}

/** What a start refuses because the cluster was recovered without this data. */
async function fenceFindings(
  { files }: OfflineInit,
  { dataDir, clusterId }: { readonly dataDir: string; readonly clusterId: ClusterId | null },
): Promise<readonly Finding[]> {
  const fence = await readFence(files, dataDir);
  if (fence === null || clusterId === null || !isFencedBy(fence, clusterId)) return [];
  const what = `the cluster was recovered without this data as ${fence.cluster}, says ${fence.source}`;
  const means = 'the data is not served any more';
  const todo = `move ${dataDir} away and start the node again with --join to a node of that cluster`;
  return [{ where: fenceFile, what, means, todo }];
}

/** Why a node does not trust its data any more, in its own words; null when it does. */
export const readCondemnation = (files: Files, dataDir: string): Promise<string | null> =>
  readSmallFile(files, `${dataDir}/${condemnedName}`);

/** What a damage is; anything else is thrown. */
function damageOf(error: unknown): string {
  if (error instanceof QuorateError && codeOf(error) === 'STORAGE_DAMAGED') return error.message;
  throw error;
}
