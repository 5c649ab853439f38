import type { DecisionSettings, Revision } from '../shared/index.ts';
import { asRevision } from '../shared/index.ts';
import { KeyIndex } from './key-index.ts';
import { Ledger } from './ledger.ts';
import { supportedClusterVersion } from './limits.ts';
import { SessionTable } from './session-table.ts';
import type { StoreLimits } from './types.ts';

/** Everything that is replicated, but for the values. Changed by transactions only. */
export interface State {
  revision: Revision;
  epoch: number;
  clusterVersion: number;
  /** Highest time of a batch that changed something, Unix milliseconds. */
  timeMs: number;
  /** The clock of sessions: milliseconds that batches saw pass, of each at most `sessionStepMs`. */
  sessionClockMs: number;
  /** Uses of all sessions so far. */
  sessionUses: number;
  settings: DecisionSettings | null;
  /** Nodes whose disks are nearly full; '' when there is room. */
  noSpace: string;
  readonly keys: KeyIndex;
  readonly ledger: Ledger;
  readonly sessions: SessionTable;
  readonly limits: StoreLimits;
}

export const emptyState = (limits: StoreLimits): State => ({
  revision: asRevision(0),
  epoch: 1,
  clusterVersion: supportedClusterVersion,
  timeMs: 0,
  sessionClockMs: 0,
  sessionUses: 0,
  settings: null,
  noSpace: '',
  keys: new KeyIndex(),
  ledger: new Ledger(),
  sessions: new SessionTable(limits),
  limits,
});
