import type { DecisionSettings } from '../shared/index.ts';
import { defaultKeyspace, eventLimits } from './limits.ts';
import type { Failure } from './outcome.ts';
import { failure } from './outcome.ts';
import type { State } from './state.ts';
import { epochMax } from './token.ts';
import type { Compare, Envelope, Operation, StoreLimits } from './types.ts';

const COUNT_MAX = 1000;
const DURATION_MS_MAX = 366 * 86_400_000;

/** What is wrong with an envelope whatever the keys hold; null when nothing is. */
export function refusalOf(envelope: Envelope, state: State): Failure | null {
  if (envelope.minVersion > state.clusterVersion) {
    return invalid('command', `version ${state.clusterVersion}`, `it needs ${envelope.minVersion}`);
  }
  if (envelope.keyspace !== defaultKeyspace) return invalid('keyspace', 'known', 'it is not');
  return shapeRefusal(envelope, state.limits) ?? contentRefusal(envelope, state.limits);
}

function shapeRefusal(envelope: Envelope, limits: StoreLimits): Failure | null {
  const { compare, then, else: otherwise, principal, session } = envelope;
  const most = Math.max(compare.length, then.length, otherwise.length);
  if (most > limits.operationsMax) {
    return invalid('command', `at most ${limits.operationsMax} operations`, `${most}`);
  }
  const name = Math.max(principal.length, session.length);
  const isLong = name > eventLimits.nameBytesMax;
  return isLong ? invalid('author', `${eventLimits.nameBytesMax} characters`, `${name}`) : null;
}

function contentRefusal(envelope: Envelope, limits: StoreLimits): Failure | null {
  for (const compare of envelope.compare) {
    const refusal = compareRefusal(compare);
    if (refusal !== null) return refusal;
  }
  return branchRefusal(envelope.then, limits) ?? branchRefusal(envelope.else, limits);
}

function compareRefusal(compare: Compare): Failure | null {
  if (compare.key.length === 0) return invalid('condition', 'one on a key', 'the key is empty');
  const isOrder = compare.relation === 'less' || compare.relation === 'greater';
  if (compare.target !== 'value' || !isOrder) return null;
  return invalid('condition', 'equal or notEqual on a value', compare.relation);
}

function branchRefusal(operations: readonly Operation[], limits: StoreLimits): Failure | null {
  let events = 0;
  for (const operation of operations) {
    const refusal = operationRefusal(operation, limits);
    if (refusal !== null) return refusal;
    if (operation.kind === 'recordEvent') events++;
  }
  return events > 1 ? invalid('command', 'at most one event', `${events}`) : null;
}

function operationRefusal(operation: Operation, limits: StoreLimits): Failure | null {
  switch (operation.kind) {
    case 'put':
      return keyRefusal(operation.key, limits) ?? valueRefusal(operation.value, limits);
    case 'delete':
      return operation.key.length === 0 ? emptyKey() : null;
    case 'recordEvent':
      return valueRefusal(operation.value, limits);
    case 'raiseEpoch':
      return epochRefusal(operation.epoch);
    case 'putSettings':
      return settingsRefusal(operation.settings);
    default:
      return null;
  }
}

/** Tokens have ten digits for it. */
function epochRefusal(epoch: number): Failure | null {
  if (epoch <= epochMax) return null;
  return invalid('epoch', `one of at most ${epochMax}`, `${epoch}`);
}

function keyRefusal(key: Uint8Array, limits: StoreLimits): Failure | null {
  if (key.length === 0) return emptyKey();
  if (key.length <= limits.keyBytesMax) return null;
  const message = `Cannot put the key as at most ${limits.keyBytesMax} bytes: it has ${key.length}`;
  return failure('TOO_LARGE', message);
}

function valueRefusal(value: Uint8Array, limits: StoreLimits): Failure | null {
  if (value.length <= limits.valueBytesMax) return null;
  return failure(
    'TOO_LARGE',
    `Cannot put the value as at most ${limits.valueBytesMax} bytes: it has ${value.length}`,
  );
}

function settingsRefusal(settings: Partial<DecisionSettings>): Failure | null {
  const { gossipQuorum, minZones, notifyRetries } = settings;
  const { eventIntervalMs, eventHoldMs, notifyTimeoutMs } = settings;
  for (const count of [gossipQuorum, minZones, notifyRetries]) {
    const isHigh = typeof count === 'number' && count > COUNT_MAX;
    if (isHigh) return invalid('setting', `at most ${COUNT_MAX}`, `${count}`);
  }
  for (const duration of [eventIntervalMs, eventHoldMs, notifyTimeoutMs]) {
    const isLong = duration !== undefined && duration > DURATION_MS_MAX;
    if (isLong) return invalid('setting', `at most ${DURATION_MS_MAX} ms`, `${duration}`);
  }
  return notifyTimeoutMs === 0 ? invalid('setting', 'a timeout above 0 ms', '0') : null;
}

const emptyKey = (): Failure => invalid('key', 'one byte or more', 'it is empty');

const invalid = (what: string, wanted: string, found: string): Failure =>
  failure('PARAM_INVALID', `Cannot take the ${what} as ${wanted}: ${found}`);
