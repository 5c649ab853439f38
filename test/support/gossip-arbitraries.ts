import * as fc from 'fast-check';
import { asIncarnation, asNodeId } from '../../src/shared/index.ts';
import type { NodeId } from '../../src/shared/index.ts';
import type {
  HealthDigest,
  HealthHead,
  HealthReport,
  MemberRecord,
  MemberRumour,
  VerdictEntry,
  VerdictSegment,
} from '../../src/wire/index.ts';

const nodeId = fc.constantFrom('n1', 'n2', 'n3', 'node-é').map(asNodeId);
const number = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 40 }));
const sample = fc.constantFrom('UP', 'DOWN', 'EMPTY');
const verdict = fc.constantFrom(
  'UP',
  'DOWN',
  'EMPTY',
  'LESS_THAN_MINSAMPLE',
  'NOT_FILL_SAMPLES',
  'NO_EMPTY_IN_SAMPLES',
  'gone',
);

/** Records of one node within few lives, so that they collide. */
export const recordOf = (name: NodeId): fc.Arbitrary<MemberRecord> =>
  fc.record({
    nodeId: fc.constant(name),
    incarnation: fc.constantFrom('aaaa', 'bbbb').map(asIncarnation),
    epoch: fc.integer({ min: 1, max: 3 }),
    counter: fc.nat(2),
    status: fc.constantFrom('alive', 'suspect', 'dead', 'left'),
    address: fc.constantFrom('a:1', 'b:2'),
    zone: fc.constantFrom('', 'z'),
    httpAddress: fc.constantFrom('', 'h:1'),
    raftAddress: fc.constantFrom('', 'r:1'),
  });

export const rumour: fc.Arbitrary<MemberRumour> = fc.record({
  record: nodeId.chain(recordOf),
  accuser: fc.oneof(fc.constant('' as const), nodeId),
  endedSeconds: fc.nat(100_000),
});

const owned = { owner: nodeId, epoch: fc.nat(2 ** 42) };

export const segment: fc.Arbitrary<VerdictSegment> = fc
  .record({
    ...owned,
    from: number,
    floor: number,
    rest: fc.nat(20),
    reset: fc.boolean(),
    entries: fc.array(
      fc.record({
        keyId: number,
        step: fc.integer({ min: 1, max: 400 }),
        valueRevision: number,
        verdict,
        samples: fc.array(sample, { maxLength: 10 }),
      }),
      { maxLength: 12 },
    ),
  })
  .map(({ from, rest, reset, entries, ...others }) => {
    const fromExclusive = reset ? 0 : from;
    let version = fromExclusive;
    const numbered: VerdictEntry[] = entries.map(({ step, ...entry }) => {
      version += step;
      return { ...entry, version };
    });
    return { ...others, fromExclusive, toInclusive: version + rest, reset, entries: numbered };
  });

export const report: fc.Arbitrary<HealthReport> = fc.record({
  ...owned,
  number: number.map((value) => value + 1),
  maxVersion: number,
  basis: number,
  overdue: fc.array(number, { maxLength: 20 }).map((ids) => ids.sort((a, b) => a - b)),
});

export const head: fc.Arbitrary<HealthHead> = fc.record({
  ...owned,
  maxVersion: number,
  reportNumber: number,
});

export const digest: fc.Arbitrary<HealthDigest> = fc.record({
  ...owned,
  contiguous: number,
  floor: number,
  reportNumber: number,
});
