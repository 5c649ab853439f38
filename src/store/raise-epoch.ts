import type { OperationOutcome } from './outcome.ts';
import { epochMax } from './token.ts';
import type { Transaction } from './transaction.ts';

/** The meta row, which holds the epoch, is written with every change. */
export function applyRaiseEpoch(transaction: Transaction, epoch: number): OperationOutcome {
  const { state } = transaction;
  const before = state.epoch;
  if (before === epochMax) return false;
  transaction.onRollback(() => (state.epoch = before));
  state.epoch = Math.max(before + 1, epoch);
  return true;
}
