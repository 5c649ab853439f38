import type { Decision } from '../../health/index.ts';
import type { KeyRecord, Operation } from '../../store/index.ts';
import type { ReplicaState } from '../replica/index.ts';

/** A decision that is to be committed. */
export interface Proposal {
  readonly name: string;
  readonly record: KeyRecord;
  readonly decision: Extract<Decision, { kind: 'baseline' | 'event' }>;
}

/** The operation that commits it; `isTracked`: events get a tracked notification. */
export async function operationFor(
  { name, record, decision }: Proposal,
  engine: Pick<ReplicaState['engine'], 'read'>,
  isTracked: boolean,
): Promise<Operation> {
  const { createRevision, valueRevision } = record;
  const expect = { key: name, createRevision, valueRevision };
  if (decision.kind === 'baseline') return { kind: 'setBaseline', expect, to: decision.to };
  const value = (await engine.read(record.valueRow)) ?? new Uint8Array();
  const { from, to, reason, evidence } = decision;
  const tracked = isTracked;
  return { kind: 'recordEvent', expect, value, from, to, reason, evidence, tracked };
}
