import { gossipLimits } from '../wire/index.ts';
import type { HealthReport, VerdictEntry, VerdictSegment } from '../wire/index.ts';
import { entryBytes } from '../wire/index.ts';
import { limits } from './limits.ts';
import { OwnerHealth } from './owner-health.ts';
import type { GossipSelf, OwnReport, OwnVerdict, Emit } from './types.ts';

/** Bytes of a segment beside its entries, at most: names, numbers, column headers. */
const SEGMENT_HEAD_BYTES = 64 + gossipLimits.nodeIdBytesMax;

/** What is to be gossiped of this node's own results. */
export interface OwnNews {
  readonly segments: readonly VerdictSegment[];
  /** Too much for packets: others are told to pull. */
  readonly isStorm: boolean;
}

/** This node's own verdicts and reports: numbered here, delivered to the driver like all others. */
export class OwnHealth {
  #health: OwnerHealth;
  readonly #emit: Emit;
  #reportNumber = 0;
  /** Changed keys that were not gossiped yet. */
  readonly #dirty = new Set<number>();
  /** All changes up to this version were gossiped. */
  #flushedVersion = 0;

  constructor(self: Pick<GossipSelf, 'nodeId' | 'epoch'>, emit: Emit) {
    this.#health = new OwnerHealth(self.nodeId, self.epoch, emit);
    this.#emit = emit;
  }

  get health(): OwnerHealth {
    return this.#health;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** Numbers and delivers a verdict; repeating the last one changes nothing. */
  publish(verdict: OwnVerdict): void {
    const held = this.#health.column.get(verdict.keyId);
    if (!held || !saysTheSame(held, verdict)) this.#change(verdict);
  }

  retract(keyId: number): void {
    const held = this.#health.column.get(keyId);
    if (!held || held.verdict === 'gone') return;
    this.#change({ keyId, valueRevision: held.valueRevision, verdict: 'gone', samples: [] });
  }

  /**
   * The next report, or null when it has more overdue keys than fit: without a report all of this
   * node's votes abstain, which is safe.
   */
  report({ basis, overdue }: OwnReport): HealthReport | null {
    if (overdue.length > gossipLimits.overdueMax) return null;
    const { owner, epoch, column } = this.#health;
    const report: HealthReport = {
      owner,
      epoch,
      number: ++this.#reportNumber,
      maxVersion: column.contiguous,
      basis,
      overdue: [...overdue].sort((a, b) => a - b),
    };
    this.#health.receiveReport(report, true);
    return report;
  }

  /** Goes on under a higher epoch: everybody forgets the earlier one and hears all again. */
  restart(epoch: number): void {
    const old = this.#health;
    this.#health = new OwnerHealth(old.owner, epoch, this.#emit);
    this.#dirty.clear();
    this.#flushedVersion = 0;
    for (const { verdict, ...entry } of old.column.values())
      if (verdict !== 'gone') this.#change({ ...entry, verdict });
  }

  /** Takes the changes since the last call, in segments that fit a packet's share. */
  flush(): OwnNews {
    const { column } = this.#health;
    const from = this.#flushedVersion;
    const isStorm = this.#dirty.size > limits.dirtyKeysMax;
    const segments = isStorm ? [] : this.#segmentsAfter(from);
    this.#dirty.clear();
    this.#flushedVersion = column.contiguous;
    return { segments, isStorm };
  }

  #change(entry: Omit<VerdictEntry, 'version'>): void {
    if (!this.#health.publish(entry)) return;
    this.#dirty.add(entry.keyId);
  }

  #segmentsAfter(from: number): VerdictSegment[] {
    const { owner, epoch, column } = this.#health;
    const dirty = [...this.#dirty].flatMap((keyId) => column.get(keyId) ?? []);
    const entries = dirty.sort((a, b) => a.version - b.version);
    const segments: VerdictSegment[] = [];
    let rest: readonly VerdictEntry[] = entries;
    let fromExclusive = from;
    while (fromExclusive < column.contiguous) {
      const count = countThatFits(rest, fromExclusive);
      const part = rest.slice(0, count);
      rest = rest.slice(count);
      const toInclusive = rest.length > 0 ? (part.at(-1)?.version ?? 0) : column.contiguous;
      const { floor } = column;
      segments.push({
        owner,
        epoch,
        fromExclusive,
        toInclusive,
        floor,
        reset: false,
        entries: part,
      });
      fromExclusive = toInclusive;
    }
    return segments;
  }
}

/** At least one, so that there is progress. */
function countThatFits(entries: readonly VerdictEntry[], fromExclusive: number): number {
  let bytes = SEGMENT_HEAD_BYTES;
  let last = fromExclusive;
  let count = 0;
  for (const entry of entries) {
    bytes += entryBytes(entry, last);
    if (bytes > limits.healthItemBytesMax && count > 0) break;
    last = entry.version;
    count++;
  }
  return count;
}

const saysTheSame = (held: VerdictEntry, wanted: OwnVerdict): boolean =>
  held.verdict === wanted.verdict &&
  held.valueRevision === wanted.valueRevision &&
  held.samples.length === wanted.samples.length &&
  held.samples.every((sample, index) => sample === wanted.samples[index]);
