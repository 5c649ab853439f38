import type { NodeId } from '../shared/index.ts';
import type {
  HealthDigest,
  HealthHead,
  HealthReport,
  VerdictEntry,
  VerdictSegment,
} from '../wire/index.ts';
import { ReportGate } from './report-gate.ts';
import type { Emit } from './types.ts';
import { VerdictColumn } from './verdict-column.ts';
import type { VerdictChange } from './verdict-column.ts';

/** What this process knows of one owner's health results within one epoch of it. */
export class OwnerHealth {
  readonly owner: NodeId;
  readonly epoch: number;
  readonly column = new VerdictColumn();
  readonly reports = new ReportGate();
  readonly #emit: Emit;
  /** What the owner has by hearsay; above what is held here there is something to pull. */
  #versionHeard = 0;
  #reportHeard = 0;

  constructor(owner: NodeId, epoch: number, emit: Emit) {
    this.owner = owner;
    this.epoch = epoch;
    this.#emit = emit;
  }

  get isBehind(): boolean {
    return (
      this.column.contiguous < this.#versionHeard || this.reports.latestNumber < this.#reportHeard
    );
  }

  /** True when it said something new. */
  receiveSegment(segment: VerdictSegment): boolean {
    const before = this.column.contiguous;
    this.#hear(segment.toInclusive, 0);
    const changes = this.column.apply(segment);
    for (const change of changes) this.#tell(change);
    this.#releaseReport();
    return changes.length > 0 || this.column.contiguous > before;
  }

  receiveReport(report: HealthReport, isDirect: boolean): boolean {
    this.#hear(report.maxVersion, report.number);
    const isNews = this.reports.take(report, isDirect);
    this.#releaseReport();
    return isNews;
  }

  receiveHead({ maxVersion, reportNumber }: HealthHead): boolean {
    return this.#hear(maxVersion, reportNumber);
  }

  /** Nobody who can be asked has what was heard of. */
  giveUp(): void {
    this.#versionHeard = this.column.contiguous;
    this.#reportHeard = this.reports.latestNumber;
  }

  digest(): HealthDigest {
    const { contiguous, floor } = this.column;
    const { owner, epoch } = this;
    return { owner, epoch, contiguous, floor, reportNumber: this.reports.latestNumber };
  }

  head(): HealthHead {
    const maxVersion = Math.max(this.#versionHeard, this.column.contiguous);
    const reportNumber = Math.max(this.#reportHeard, this.reports.latestNumber);
    return { owner: this.owner, epoch: this.epoch, maxVersion, reportNumber };
  }

  /** A change by the owner itself; false when there is no room for a further key. */
  publish(entry: Omit<VerdictEntry, 'version'>): boolean {
    const change = this.column.append(entry);
    if (change) this.#tell(change);
    return change !== undefined;
  }

  #hear(version: number, reportNumber: number): boolean {
    const isNews = version > this.#versionHeard || reportNumber > this.#reportHeard;
    this.#versionHeard = Math.max(this.#versionHeard, version);
    this.#reportHeard = Math.max(this.#reportHeard, reportNumber);
    return isNews;
  }

  #tell({ entry, before }: VerdictChange): void {
    const { owner, epoch } = this;
    const { keyId, valueRevision, verdict, samples } = entry;
    if (verdict !== 'gone')
      this.#emit({ kind: 'verdict', owner, epoch, keyId, valueRevision, verdict, samples });
    else if (before && before.verdict !== 'gone')
      this.#emit({ kind: 'verdictGone', owner, epoch, keyId });
  }

  #releaseReport(): void {
    const report = this.reports.release(this.column.contiguous);
    if (!report) return;
    const { owner, epoch, number, basis, overdue } = report;
    this.#emit({ kind: 'report', owner, epoch, number, basis, overdue });
  }
}
