import type { KeyFacts } from './codec/row-codec.ts';
import { valueRow } from './rows.ts';
import type { KeyRecord } from './types.ts';

/** `key` is kept: it must not be a view of something larger. */
export const recordOf = (key: Uint8Array, facts: KeyFacts): KeyRecord => ({
  key,
  createRevision: facts.createRevision,
  modRevision: facts.modRevision,
  version: facts.version,
  valueRevision: facts.valueRevision,
  valueBytes: facts.valueBytes,
  valueRow: valueRow(facts.valueRevision, facts.valueSub),
});
