import { expect } from 'chai';
import {
  asIndex,
  asNodeId,
  asRevision,
  compareBytes,
  fromUtf8,
  utf8,
} from '../../../src/shared/index.ts';
import type { EventRecord, Evidence, Revision } from '../../../src/shared/index.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  StateMachine,
  storeLimits,
} from '../../../src/store/index.ts';
import type {
  ApplyOutcome,
  CommandResult,
  Compare,
  Envelope,
  HealthExpectation,
  Notice,
  Operation,
  StoreLimits,
} from '../../../src/store/index.ts';

export const envelope = (fields: Partial<Envelope>): Envelope => ({
  minVersion: 1,
  keyspace: '',
  principal: '',
  session: '',
  sequence: 0,
  compare: [],
  then: [],
  else: [],
  ...fields,
});

export const put = (key: string, value: string): Operation => ({
  kind: 'put',
  key: utf8(key),
  value: utf8(value),
});
export const del = (key: string): Operation => ({ kind: 'delete', key: utf8(key) });

export const compare = (key: string, fields: Partial<Compare>): Compare => ({
  key: utf8(key),
  target: 'createRevision',
  relation: 'equal',
  number: 0,
  bytes: new Uint8Array(0),
  ...fields,
});

export const evidence: Evidence = {
  quorum: 2,
  minZones: 1,
  votes: [
    {
      node: asNodeId('node1'),
      zone: 'a',
      verdict: 'DOWN',
      samples: ['DOWN', 'DOWN', 'DOWN'],
      ageMs: 12,
      counted: true,
      why: '',
    },
    {
      node: asNodeId('node2'),
      zone: '',
      verdict: 'ABSTAIN',
      samples: [],
      ageMs: -1,
      counted: false,
      why: 'no report',
    },
  ],
};

const nameOf = (row: Uint8Array): string => String.fromCharCode(...row);

/** A state machine above a map of rows; every command goes through its encoding. */
export class Store {
  readonly rows = new Map<string, { row: Uint8Array; value: Uint8Array }>();
  readonly machine: StateMachine;
  readonly limits: StoreLimits;
  timeMs = 1_000_000;
  lastNotices: readonly Notice[] = [];

  constructor(limits: Partial<StoreLimits> = {}, isLoaded = true) {
    this.limits = { ...storeLimits, ...limits };
    this.machine = new StateMachine(this.limits);
    if (isLoaded) this.machine.finishLoad(asIndex(0));
  }

  /** Applies one payload; rows that were not asked for are not served. */
  applyPayload(payload: Uint8Array): ApplyOutcome {
    const batch = decodeBatch(payload);
    const required = new Set(this.machine.requiredRows(batch).map(nameOf));
    const index = asIndex(this.machine.appliedIndex + 1);
    const outcome = this.machine.apply(index, batch, (row) => {
      expect(required.has(nameOf(row)), 'row was declared').to.equal(true);
      return this.rows.get(nameOf(row))?.value;
    });
    for (const { row, value } of outcome.writes) {
      if (value === null) this.rows.delete(nameOf(row));
      else this.rows.set(nameOf(row), { row: row.slice(), value: value.slice() });
    }
    this.lastNotices = outcome.notices;
    return outcome;
  }

  applyAll(envelopes: readonly Envelope[]): readonly CommandResult[] {
    const encoded = envelopes.map(encodeEnvelope);
    return this.applyPayload(encodeBatch({ timeMs: this.timeMs, envelopes: encoded })).results;
  }

  /** One envelope of unconditional operations. */
  run(...operations: Operation[]): CommandResult {
    return this.runEnvelope(envelope({ then: operations }));
  }

  runEnvelope(one: Envelope): CommandResult {
    const result = this.applyAll([one])[0];
    if (result === undefined) throw new Error('no result');
    return result;
  }

  /** As `run`, and it must have changed something. Returns the revision. */
  must(...operations: Operation[]): Revision {
    const result = this.run(...operations);
    expect(result).to.include({ ok: true, changed: true });
    return this.machine.revision;
  }

  value(key: string): string | undefined {
    const record = this.machine.key(utf8(key));
    if (record === undefined) return undefined;
    const found = this.rows.get(nameOf(record.valueRow));
    return found === undefined ? 'value row is missing' : fromUtf8(found.value);
  }

  expectation(key: string): HealthExpectation {
    const record = this.machine.key(utf8(key));
    const createRevision = record?.createRevision ?? asRevision(0);
    return { key, createRevision, valueRevision: record?.valueRevision ?? asRevision(0) };
  }

  baseline(key: string, to: 'UP' | 'DOWN'): Operation {
    return { kind: 'setBaseline', expect: this.expectation(key), to };
  }

  recordEvent(
    key: string,
    fields: Partial<Extract<Operation, { kind: 'recordEvent' }>> = {},
  ): Operation {
    return {
      kind: 'recordEvent',
      expect: this.expectation(key),
      value: utf8(this.value(key) ?? ''),
      from: 'UP',
      to: 'DOWN',
      reason: 'agreed',
      evidence,
      tracked: true,
      ...fields,
    };
  }

  event(id: Revision): EventRecord {
    const event = this.machine.event(id);
    if (event === undefined) throw new Error(`no event ${id}`);
    return event;
  }

  state(id: Revision): string {
    return this.event(id).notification.state;
  }

  /** A fresh machine from the rows, in key order. */
  restored(limits: Partial<StoreLimits> = {}): Store {
    const copy = new Store({ ...this.limits, ...limits }, false);
    const sorted = [...this.rows.values()].sort((a, b) => compareBytes(a.row, b.row));
    for (const { row, value } of sorted) {
      copy.machine.load(row, value);
      copy.rows.set(nameOf(row), { row, value });
    }
    copy.machine.finishLoad(this.machine.appliedIndex);
    copy.timeMs = this.timeMs;
    return copy;
  }
}

export const start = (eventId: Revision, attempt: number, node = 'node1'): Operation => ({
  kind: 'startAttempt',
  eventId,
  attempt,
  node: asNodeId(node),
  startedAtMs: 5000,
});

export const end = (
  eventId: Revision,
  attempt: number,
  fields: Partial<Extract<Operation, { kind: 'endAttempt' }>> = {},
): Operation => ({
  kind: 'endAttempt',
  eventId,
  attempt,
  node: asNodeId('node1'),
  durationMs: 70,
  exitCode: 0,
  signal: null,
  timedOut: false,
  output: 'switched',
  outcome: 'done',
  ...fields,
});

export const close = (eventId: Revision, state: 'superseded' | 'failed'): Operation => ({
  kind: 'closeNotification',
  eventId,
  state,
  reason: 'reverted',
});
