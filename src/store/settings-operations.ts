import type { DecisionSettings } from '../shared/index.ts';
import { cutText } from './binary.ts';
import { writeSettings } from './codec/settings-codec.ts';
import type { OperationOutcome } from './outcome.ts';
import { noSpaceRow, settingsRow } from './rows.ts';
import type { Transaction } from './transaction.ts';

/** What the first partial settings are completed with. */
export const defaultDecisionSettings: DecisionSettings = {
  gossipQuorum: 'majority',
  minZones: 'auto',
  eventIntervalMs: 60_000,
  eventHoldMs: 30_000,
  notifyOn: 'leader',
  notifyTimeoutMs: 60_000,
  notifyRetries: 10,
};

export function applyPutSettings(
  transaction: Transaction,
  changes: Partial<DecisionSettings>,
): OperationOutcome {
  const { state, writer } = transaction;
  const before = state.settings;
  const settings = { ...(before ?? defaultDecisionSettings), ...changes };
  if (before !== null && areEqual(before, settings)) return false;
  transaction.onRollback(() => (state.settings = before));
  state.settings = settings;
  writeSettings(writer, settings);
  transaction.write(settingsRow(), writer.take());
  transaction.notices.push({ kind: 'settings', settings });
  return true;
}

/** `nodes` is for people, and longer than any list of voters when it is cut. */
export function applySetNoSpace(transaction: Transaction, nodes: string): OperationOutcome {
  const { state, writer } = transaction;
  const before = state.noSpace;
  const noSpace = cutText(nodes, noSpaceBytesMax);
  if (noSpace === before) return false;
  transaction.onRollback(() => (state.noSpace = before));
  state.noSpace = noSpace;
  if (noSpace !== '') writer.string(1, noSpace);
  transaction.write(noSpaceRow(), noSpace === '' ? null : writer.take());
  return true;
}

const noSpaceBytesMax = 1024;

const names = Object.keys(defaultDecisionSettings) as readonly (keyof DecisionSettings)[];

const areEqual = (a: DecisionSettings, b: DecisionSettings): boolean =>
  names.every((name) => a[name] === b[name]);
