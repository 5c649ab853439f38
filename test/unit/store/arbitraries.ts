import fc from 'fast-check';
import { asNodeId, asRevision } from '../../../src/shared/index.ts';
import type { Envelope, Operation } from '../../../src/store/index.ts';

/** Few names and small numbers, so that commands meet. */
const key = fc.constantFrom('a', 'b', 'ab', 'ä', '\u{1f600}');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const value = fc.constantFrom('', '1', '2', '22').map(bytesOf);
const small = fc.integer({ min: 0, max: 12 });
const revision = small.map(asRevision);
const node = fc.constantFrom('node1', 'node2').map(asNodeId);
const text = fc.string({ maxLength: 6 });
const status = fc.constantFrom('UP', 'DOWN', 'EMPTY', 'EMPTY_RECOVER');
const expectation = fc.record({ key, createRevision: revision, valueRevision: revision });

const vote = fc.record({
  node,
  zone: text,
  verdict: fc.constantFrom('UP', 'DOWN', 'EMPTY', 'LESS_THAN_MINSAMPLE', 'ABSTAIN'),
  samples: fc.array(fc.constantFrom('UP', 'DOWN', 'EMPTY'), { maxLength: 3 }),
  ageMs: fc.integer({ min: -1, max: 100_000 }),
  counted: fc.boolean(),
  why: text,
});

const evidence = fc.record({
  quorum: small,
  minZones: small,
  votes: fc.array(vote, { maxLength: 2 }),
});

const runEnd = {
  durationMs: fc.nat(),
  exitCode: fc.option(fc.integer({ min: -1, max: 255 })),
  signal: fc.option(fc.constantFrom('SIGKILL', '')),
  timedOut: fc.boolean(),
  output: text,
};

const settings = fc.record(
  {
    gossipQuorum: fc.constantFrom('majority' as const, 2, 3),
    minZones: fc.constantFrom('auto' as const, 1, 2),
    eventIntervalMs: small,
    eventHoldMs: small,
    notifyOn: fc.constantFrom('leader' as const, 'all' as const),
    notifyTimeoutMs: fc.integer({ min: 1, max: 9 }),
    notifyRetries: small,
  },
  { requiredKeys: [] },
);

const kind = <K extends Operation['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind('put'), key: key.map(bytesOf), value }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('delete'), key: key.map(bytesOf) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('setBaseline'),
      expect: expectation,
      to: fc.constantFrom('UP', 'DOWN'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('recordEvent'),
      expect: expectation,
      value,
      from: fc.oneof(fc.constant('' as const), status),
      to: status,
      reason: text,
      evidence,
      tracked: fc.boolean(),
    }),
  },
  fc.record({
    kind: kind('startAttempt'),
    eventId: revision,
    attempt: fc.integer({ min: 0, max: 3 }),
    node,
    startedAtMs: fc.nat(),
  }),
  fc.record({
    kind: kind('endAttempt'),
    eventId: revision,
    attempt: fc.integer({ min: 0, max: 3 }),
    node,
    ...runEnd,
    outcome: fc.constantFrom('done', 'failed', 'retry'),
  }),
  fc.record({
    kind: kind('recordFollowerRun'),
    eventId: revision,
    node,
    startedAtMs: fc.nat(),
    ...runEnd,
  }),
  fc.record({
    kind: kind('closeNotification'),
    eventId: revision,
    state: fc.constantFrom('superseded', 'failed'),
    reason: text,
  }),
  fc.record({ kind: kind('setNoSpace'), nodes: fc.constantFrom('', '', '', 'node1') }),
  fc.record({ kind: kind('raiseEpoch'), epoch: small }),
  fc.record({ kind: kind('putSettings'), settings }),
);

const compare = fc.record({
  key: key.map(bytesOf),
  target: fc.constantFrom('createRevision', 'modRevision', 'version', 'value'),
  relation: fc.constantFrom('equal', 'notEqual', 'less', 'greater'),
  number: small,
  bytes: value,
});

export const anyEnvelope: fc.Arbitrary<Envelope> = fc.record({
  minVersion: fc.constantFrom(1, 1, 1, 0),
  keyspace: fc.constantFrom('', '', '', '', '', 'other'),
  principal: text,
  session: text,
  sequence: fc.maxSafeNat(),
  compare: fc.array(compare, { maxLength: 2 }),
  then: fc.array(operation, { maxLength: 3 }),
  else: fc.array(operation, { maxLength: 2 }),
});

export const anyBatches = fc.array(
  fc.record({ timeMs: fc.nat(), envelopes: fc.array(anyEnvelope, { maxLength: 4 }) }),
  { maxLength: 12 },
);

export type AnyBatch = { readonly timeMs: number; readonly envelopes: readonly Envelope[] };
