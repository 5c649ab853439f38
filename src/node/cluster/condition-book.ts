import type { Configuration, Member } from '../../raft/index.ts';
import { peerIdOfMember } from '../../raft/index.ts';
import type { Clock, Logger, LogIndex, PeerId } from '../../shared/index.ts';
import type { DigestMark } from '../replica/index.ts';
import type { Condition } from './condition.ts';

/** A report counts for so long. */
const freshMs = 5_000;
/** Whoever did not report to a leader for so long is not waited for. */
const patienceMs = 10_000;
const indexesMax = 16;

export interface ConditionBookInit {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly logger: Logger;
  readonly configuration: () => Configuration;
  /** Nodes turned out to hold different states. */
  readonly onMismatch: () => void;
}

/** What members told this node while it led, and what follows from it. */
export class ConditionBook {
  readonly #init: ConditionBookInit;
  readonly #reports = new Map<PeerId, { readonly isLow: boolean; readonly atMs: number }>();
  /** Digests by index and node; the newest indexes. */
  readonly #digests = new Map<LogIndex, Map<PeerId, number>>();
  readonly #mismatches = new Set<LogIndex>();
  #sinceMs: number;

  constructor(init: ConditionBookInit) {
    this.#init = init;
    this.#sinceMs = init.clock.monotonicMs();
  }

  /** This node leads from now on: what it heard in an earlier office is old. */
  begin(): void {
    this.#sinceMs = this.#init.clock.monotonicMs();
    this.#reports.clear();
    this.#digests.clear();
  }

  /** Notes a member's report. Returns what a majority has where that member differs. */
  take({ peer, isLow, mark }: Condition): DigestMark | null {
    const { clock, configuration } = this.#init;
    const { members } = configuration();
    if (!members.some((member) => peerIdOfMember(member) === peer)) return null;
    this.#reports.set(peer, { isLow, atMs: clock.monotonicMs() });
    return mark === null ? null : this.#compare(peer, mark);
  }

  /**
   * Voters whose disks are nearly full, as one text; '' when all have room. null: not certain yet,
   * since a voter may still report.
   */
  lackingSpace(): string | null {
    const voters = this.#voters();
    const lacking = voters.filter((member) => this.#fresh(member)?.isLow === true);
    if (lacking.length > 0)
      return lacking
        .map(({ nodeId }) => nodeId)
        .sort()
        .join(', ');
    const isAllHeard = voters.every((member) => this.#fresh(member) !== null);
    const isPatienceOver = this.#init.clock.monotonicMs() - this.#sinceMs >= patienceMs;
    return isAllHeard || isPatienceOver ? '' : null;
  }

  #voters(): readonly Member[] {
    return this.#init.configuration().members.filter(({ role }) => role === 'voter');
  }

  #fresh(member: Member): { readonly isLow: boolean } | null {
    const report = this.#reports.get(peerIdOfMember(member));
    if (report === undefined) return null;
    return this.#init.clock.monotonicMs() - report.atMs <= freshMs ? report : null;
  }

  #compare(peer: PeerId, { index, digest }: DigestMark): DigestMark | null {
    const digests = this.#digestsAt(index);
    digests.set(peer, digest);
    if (new Set(digests.values()).size > 1) this.#complain(index, digests);
    const majority = this.#majorityOf(digests);
    return majority === null || majority === digest ? null : { index, digest: majority };
  }

  #digestsAt(index: LogIndex): Map<PeerId, number> {
    const known = this.#digests.get(index);
    if (known !== undefined) return known;
    const digests = new Map<PeerId, number>();
    this.#digests.set(index, digests);
    if (this.#digests.size > indexesMax) this.#digests.delete(lowest(this.#digests.keys()));
    return digests;
  }

  /** What more than half of all voters say. */
  #majorityOf(digests: ReadonlyMap<PeerId, number>): number | null {
    const voters = this.#voters();
    const counts = new Map<number, number>();
    for (const voter of voters) {
      const digest = digests.get(peerIdOfMember(voter));
      if (digest !== undefined) counts.set(digest, (counts.get(digest) ?? 0) + 1);
    }
    for (const [digest, count] of counts) if (2 * count > voters.length) return digest;
    return null;
  }

  /** Once for each index. */
  #complain(index: LogIndex, digests: ReadonlyMap<PeerId, number>): void {
    if (this.#mismatches.has(index)) return;
    if (this.#mismatches.size >= indexesMax) this.#mismatches.delete(lowest(this.#mismatches));
    this.#mismatches.add(index);
    const found = [...digests].map(([peer, digest]) => `${peer} ${hex(digest)}`).join(', ');
    this.#init.logger.error(
      { index, digests: Object.fromEntries(digests) },
      `The nodes hold different states after entry ${index}: ${found}`,
    );
    this.#init.onMismatch();
  }
}

const lowest = (indexes: Iterable<LogIndex>): LogIndex =>
  [...indexes].reduce((a, b) => (b < a ? b : a));

/** A digest as people read it. */
export const hex = (digest: number): string => `0x${digest.toString(16).padStart(8, '0')}`;
