import { basename } from 'node:path';
import type { HardState, RecoveredLog } from '../../raft/index.ts';
import { QuorateError } from '../../shared/index.ts';
import type { LogInspection, SegmentSummary } from '../../storage/index.ts';
import { inspectLog } from '../../storage/index.ts';
import { progressTo, withDataAtRest } from './data-at-rest.ts';
import type { OfflineInit } from './data-at-rest.ts';
import { describeConfiguration, EntryList, shownMax } from './entry-list.ts';
import type { ShownEntry } from './entry-list.ts';
import { textTable } from './text-table.ts';

export interface InspectOptions {
  readonly dataDir: string;
  readonly json: boolean;
  /** Entries to show, by index; none when both are null. */
  readonly from: number | null;
  readonly to: number | null;
}

/**
 * `quorate log inspect`: what the segments of a log hold. Changes nothing. Resolves with the exit
 * code: 1 when parts of it are damaged, which are then left out.
 */
export async function showLog(init: OfflineInit, options: InspectOptions): Promise<number> {
  const { dataDir } = options;
  const entries = listFor(options);
  const inspection = await withDataAtRest(init, { path: dataDir, purpose: 'look' }, () =>
    inspectLog(
      { files: init.files, directory: `${dataDir}/log` },
      { ...visitorOf(entries), onProgress: progressTo(init, 'Bytes of the log read') },
    ),
  );
  if (inspection === null) {
    throw new QuorateError('CONFIG_INVALID', `Cannot use ${dataDir} as --dataDir: it holds no log`);
  }
  const list = entries?.list ?? null;
  init.writeOut(options.json ? jsonOf(inspection, list) : textOf(dataDir, inspection, list));
  return inspection.findings.length === 0 ? 0 : 1;
}

const visitorOf = (entries: EntryList | null) =>
  entries === null ? {} : { onEntries: entries.onEntries, onBase: entries.onBase };

function listFor({ from, to }: InspectOptions): EntryList | null {
  if (from === null && to === null) return null;
  const first = from ?? Math.max(1, (to ?? 1) - shownMax + 1);
  return new EntryList(first, to ?? first + shownMax - 1);
}

function jsonOf(inspection: LogInspection, entries: readonly ShownEntry[] | null): string {
  const { recovered, ...rest } = inspection;
  const { identity, hardState, base, generation, lastIndex } = recovered ?? {};
  const head = { identity, hardState, base, generation, lastIndex };
  const document = { ...head, ...rest, ...(entries !== null && { entries }) };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function textOf(
  dataDir: string,
  inspection: LogInspection,
  entries: readonly ShownEntry[] | null,
): string {
  const { recovered, segments, torn, findings } = inspection;
  const lines = [
    recovered === null ? `${dataDir}: nothing is readable\n` : headOf(dataDir, recovered),
  ];
  lines.push('\n', textTable([segmentHeading, ...segments.map(segmentRow)]));
  if (recovered !== null) lines.push('\n', configurationLines(recovered));
  if (torn !== null) {
    const { path, offset, bytes } = torn;
    lines.push(
      `\n${basename(path)}: a crash left ${bytes} bytes at byte ${offset} incomplete; the next start cuts them off\n`,
    );
  }
  for (const { path, offset, what } of findings) {
    lines.push(`\nDAMAGED: ${basename(path)} at byte ${offset}: ${what}\n`);
  }
  if (findings.length > 0)
    lines.push('What the damaged parts held is not shown; see quorate log verify\n');
  if (entries !== null) lines.push('\n', textTable([entryHeading, ...entries.map(entryRow)]));
  return lines.join('');
}

function headOf(
  dataDir: string,
  { identity, hardState, base, generation, lastIndex }: RecoveredLog,
) {
  const { clusterId, nodeId, incarnation } = identity;
  const held = lastIndex > base.index ? `${base.index + 1} to ${lastIndex}` : 'none';
  return (
    `${dataDir}: node ${nodeId}, incarnation ${incarnation}, cluster ${clusterId}\n` +
    `${describeHardState(hardState)}; entries ${held} above index ${base.index} of term ${base.term}; ` +
    `state-${generation}\n`
  );
}

const describeHardState = ({ term, vote }: HardState): string =>
  `term ${term}, ${vote === null ? 'no vote in it' : `voted for ${vote}`}`;

const segmentHeading = [
  ...['segment', 'use', 'bytes', 'used', 'records', 'first', 'last', 'terms'],
  ...['noop', 'command', 'configuration'],
];

function segmentRow(segment: SegmentSummary): (string | number)[] {
  const { path, use, bytes, usedBytes, records, entries, firstTerm, lastTerm } = segment;
  const terms = firstTerm === lastTerm ? `${firstTerm ?? '-'}` : `${firstTerm}-${lastTerm}`;
  const range = [segment.firstIndex ?? '-', segment.lastIndex ?? '-'];
  const counts = [entries.noop, entries.command, entries.configuration];
  return [basename(path), use, bytes, usedBytes, records, ...range, terms, ...counts];
}

function configurationLines({ base, configurations }: RecoveredLog): string {
  const all = [base.configuration, ...configurations];
  const line = ({ index, configuration }: (typeof all)[number]): string =>
    `configuration at ${index}: ${describeConfiguration(configuration)}\n`;
  return all.map(line).join('');
}

const entryHeading = ['index', 'term', 'kind', 'bytes', 'what'];

const entryRow = ({ index, term, kind, bytes, what }: ShownEntry): (string | number)[] => [
  ...[index, term, kind, bytes, what],
];
