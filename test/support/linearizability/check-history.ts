import type { HistoryOperation } from './history-operation.ts';
import { KeySearch } from './key-search.ts';

export interface HistoryVerdict {
  /** Every answer can be explained by one order that respects calls and returns. */
  readonly ok: boolean;
  /** Of the first key that went wrong; null when ok. */
  readonly key: string | null;
  /** For a person; null when ok. */
  readonly reason: string | null;
  /** false: there were too many possibilities to look at; not ok either. */
  readonly isDecided: boolean;
  readonly operationCount: number;
  readonly keyCount: number;
  /** Ways in which things may have happened that were looked at. */
  readonly exploredCount: number;
}

/**
 * Whether a history of puts, gets, deletes and compare-and-sets is linearizable. Keys are checked
 * one by one, as a history is linearizable exactly when that of each object is (Herlihy and Wing).
 * All keys are missing at the beginning.
 */
export function checkHistory(operations: readonly HistoryOperation[]): HistoryVerdict {
  const byKey = new Map<string, HistoryOperation[]>();
  for (const operation of operations) {
    const known = byKey.get(operation.key);
    if (known === undefined) byKey.set(operation.key, [operation]);
    else known.push(operation);
  }
  let exploredCount = 0;
  const counts = { operationCount: operations.length, keyCount: byKey.size };
  for (const [key, ofKey] of byKey) {
    const verdict = new KeySearch(ofKey).run();
    exploredCount += verdict.exploredCount;
    if (verdict.complaint === null) continue;
    const { complaint: reason, isDecided } = verdict;
    return { ok: false, key, reason, isDecided, exploredCount, ...counts };
  }
  return { ok: true, key: null, reason: null, isDecided: true, exploredCount, ...counts };
}
