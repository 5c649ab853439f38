import type { Baseline, KeyHealth, Revision } from '../../shared/index.ts';
import { asRevision } from '../../shared/index.ts';
import { ProtoReader } from '../../wire/index.ts';
import type { ProtoWriter } from '../../wire/index.ts';
import { nameOf, numberOf, statuses } from './names.ts';

/** What the state knows beside keys, events and settings. */
export interface Meta {
  readonly revision: Revision;
  readonly epoch: number;
  readonly clusterVersion: number;
  readonly timeMs: number;
  /** Uses of all sessions so far: the order in which they were used. */
  readonly sessionUses: number;
  /** What sessions measure idleness with; no time of day. */
  readonly sessionClockMs: number;
}

/** What the index holds about a key; the value itself is the row (valueRevision, valueSub). */
export interface KeyFacts {
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
  readonly valueRevision: Revision;
  readonly valueSub: number;
  readonly valueBytes: number;
  /** CRC-32C of the value. */
  readonly valueChecksum: number;
}

export function encodeMeta(writer: ProtoWriter, meta: Meta): Uint8Array {
  writer.uint(1, meta.revision).uint(2, meta.epoch);
  writer.uint(3, meta.clusterVersion).uint(4, meta.timeMs);
  return writer.uint(5, meta.sessionUses).uint(6, meta.sessionClockMs).take();
}

/** undefined when the bytes are no such row; so for all of these. */
export function decodeMeta(bytes: Uint8Array): Meta | undefined {
  const numbers = readNumbers(bytes, 6);
  if (numbers === undefined) return undefined;
  const [revision = 0, epoch = 0, clusterVersion = 0, timeMs = 0, ...ofSessions] = numbers;
  const [sessionUses = 0, sessionClockMs = 0] = ofSessions;
  const ofState = { revision: asRevision(revision), epoch, clusterVersion, timeMs };
  return { ...ofState, sessionUses, sessionClockMs };
}

export function encodeFacts(writer: ProtoWriter, facts: KeyFacts): Uint8Array {
  writer.uint(1, facts.createRevision).uint(2, facts.modRevision).uint(3, facts.version);
  writer.uint(4, facts.valueRevision).uint(5, facts.valueSub);
  return writer.uint(6, facts.valueBytes).uint(7, facts.valueChecksum).take();
}

export function decodeFacts(bytes: Uint8Array): KeyFacts | undefined {
  const numbers = readNumbers(bytes, 7);
  if (numbers === undefined) return undefined;
  const [create = 0, mod = 0, version = 0, value = 0, valueSub = 0] = numbers;
  return {
    createRevision: asRevision(create),
    modRevision: asRevision(mod),
    version,
    valueRevision: asRevision(value),
    valueSub,
    valueBytes: numbers[5] ?? 0,
    valueChecksum: numbers[6] ?? 0,
  };
}

export function encodeHealth(writer: ProtoWriter, health: KeyHealth): Uint8Array {
  writer.uint(1, health.createRevision);
  writer.uint(2, health.baseline === null ? 0 : numberOf(statuses, health.baseline));
  writer.bool(3, health.empty);
  writer.uint(4, health.lastAvailabilityEvent ?? 0).uint(5, health.lastEmptinessEvent ?? 0);
  return writer.uint(6, health.baselineAtMs).uint(7, health.emptyAtMs).take();
}

export function decodeHealth(bytes: Uint8Array): KeyHealth | undefined {
  const numbers = readNumbers(bytes, 7);
  if (numbers === undefined) return undefined;
  const [create = 0, baseline = 0, empty = 0, availability = 0, emptiness = 0] = numbers;
  return {
    createRevision: asRevision(create),
    baseline: (nameOf(statuses, baseline) as Baseline | undefined) ?? null,
    empty: empty !== 0,
    lastAvailabilityEvent: availability === 0 ? null : asRevision(availability),
    lastEmptinessEvent: emptiness === 0 ? null : asRevision(emptiness),
    baselineAtMs: numbers[5] ?? 0,
    emptyAtMs: numbers[6] ?? 0,
  };
}

/** Fields 1..count of a message that has only numbers. */
function readNumbers(bytes: Uint8Array, count: number): number[] | undefined {
  const reader = new ProtoReader(bytes);
  const numbers = new Array<number>(count).fill(0);
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field > count) reader.fail(0);
    else numbers[field - 1] = reader.uint();
  }
  return reader.failed ? undefined : numbers;
}
