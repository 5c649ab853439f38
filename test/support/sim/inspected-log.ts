import type { DataDirectory } from '../../../src/node/cluster/data-directory.ts';
import type { RecoveredLog } from '../../../src/raft/index.ts';
import { codeOf } from '../../../src/shared/index.ts';
import type { LogInspection } from '../../../src/storage/index.ts';
import type { SimDisk } from './sim-disk.ts';

type OpenLog = Awaited<ReturnType<DataDirectory['openLog']>>;

/** Opens a log that was inspected before: both must find the same. */
export async function openInspected(
  directory: DataDirectory,
  disk: SimDisk,
  violate: (complaint: string) => void,
): Promise<OpenLog> {
  const wasDamaged = disk.isDamaged;
  const inspection = await directory.inspectLog();
  const isAsBefore = (): boolean => disk.isDamaged === wasDamaged;
  try {
    const log = await directory.openLog();
    const complaint = complaintAbout(inspection, log?.recovered ?? null);
    if (complaint !== null && isAsBefore()) violate(complaint);
    return log;
  } catch (error) {
    const isUnseen = inspection?.findings.length === 0 && isAsBefore();
    if (isUnseen && codeOf(error) === 'STORAGE_DAMAGED') {
      violate(`an inspection finds nothing in a log that does not open: ${String(error)}`);
    }
    throw error;
  }
}

function complaintAbout(
  inspection: LogInspection | null,
  recovered: RecoveredLog | null,
): string | null {
  if (inspection === null || recovered === null) {
    return inspection === recovered ? null : 'an inspection and a start differ about whether it is';
  }
  const [finding] = inspection.findings;
  if (finding !== undefined) return `an inspection finds ${finding.what}, but the log opens`;
  const [said, found] = [describe(inspection.recovered), describe(recovered)];
  return said === found ? null : `an inspection finds ${said}, a start ${found}`;
}

function describe(recovered: RecoveredLog | null): string {
  if (recovered === null) return 'nothing';
  const { base, lastIndex, hardState, generation } = recovered;
  const { term, vote } = hardState;
  return `base ${base.index} last ${lastIndex} term ${term} vote ${vote ?? '-'} state ${generation}`;
}
