import type { HealthReport } from '../wire/index.ts';
import { limits } from './limits.ts';

interface Waiting {
  readonly report: HealthReport;
  readonly isDirect: boolean;
}

/**
 * Lets an owner's reports pass once their verdicts are there, and only when their number advances
 * before the eyes of this process: a first number that came through others may be of long ago.
 */
export class ReportGate {
  #latest: HealthReport | null = null;
  /** The first number, when it came through others: it may be of long ago. */
  #baseline = 0;
  #passedNumber = 0;
  #waiting: Waiting[] = [];

  /** The newest one known, passed or not. */
  get latest(): HealthReport | null {
    return this.#latest;
  }

  get latestNumber(): number {
    return this.#latest?.number ?? 0;
  }

  /** `isDirect`: the owner itself gossiped it just now. True when others should hear of it. */
  take(report: HealthReport, isDirect: boolean): boolean {
    const isFirst = this.#latest === null;
    const isNews = report.number > this.latestNumber;
    if (isNews) this.#latest = report;
    if (isFirst && !isDirect) this.#baseline = report.number;
    const isAgainDirect = isDirect && report.number === this.latestNumber;
    if (isNews || isAgainDirect) this.#wait({ report, isDirect });
    return isNews;
  }

  /** The newest report that may pass by now. */
  release(contiguous: number): HealthReport | undefined {
    const ready = this.#waiting.filter(({ report }) => report.maxVersion <= contiguous);
    const newest = ready.at(-1);
    if (!newest) return undefined;
    const { isDirect, report } = newest;
    this.#waiting = this.#waiting.filter((one) => one.report.number > report.number);
    const isFresh = isDirect || report.number > this.#baseline;
    if (!isFresh || report.number <= this.#passedNumber) return undefined;
    this.#passedNumber = report.number;
    return report;
  }

  #wait(one: Waiting): void {
    const others = this.#waiting.filter(({ report }) => report.number !== one.report.number);
    if (others.length >= limits.waitingReportsMax) others.pop();
    this.#waiting = [...others, one];
  }
}
