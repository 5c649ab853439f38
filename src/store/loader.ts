import { fromUtf8, QuorateError } from '../shared/index.ts';
import { ProtoReader } from '../wire/index.ts';
import { binaryOf } from './binary.ts';
import { decodeEvent } from './codec/event-codec.ts';
import { decodeFacts, decodeHealth, decodeMeta } from './codec/row-codec.ts';
import { decodeSession } from './codec/session-codec.ts';
import { readSettings } from './codec/settings-codec.ts';
import { hashOfRow } from './item-hash.ts';
import { supportedClusterVersion } from './limits.ts';
import {
  fromBigEndian,
  healthRowPrefixBytes,
  keyRowPrefixBytes,
  numberOfRow,
  sessionRowPrefixBytes,
  tables,
} from './rows.ts';
import { defaultDecisionSettings } from './settings-operations.ts';
import type { State } from './state.ts';

/**
 * Takes one row of the engine into the state; rows come in key order. Values stay in the engine.
 * Throws STORAGE_DAMAGED for a row that this version would not
 * have written, STORAGE_FAILED for a state of a newer cluster version.
 */
export function loadRow(state: State, row: Uint8Array, value: Uint8Array): void {
  switch (row[0]) {
    case tables.meta:
      loadMeta(state, value);
      return;
    case tables.key:
      loadKey(state, row, value);
      return;
    case tables.value:
      return;
    case tables.health:
      loadHealth(state, row, value);
      return;
    case tables.event:
      loadEvent(state, row, value);
      return;
    case tables.session:
      loadSession(state, row, value);
      return;
    case tables.expiredSession:
      loadExpiredSession(state, row, value);
      return;
    case tables.noSpace:
      loadNoSpace(state, value);
      return;
    case tables.settings:
      loadSettings(state, value);
      return;
    default:
      throw damage(`a row of a table that is known: ${row[0] ?? 'an empty key'}`);
  }
}

function loadMeta(state: State, value: Uint8Array): void {
  const meta = decodeMeta(value);
  if (meta === undefined) throw damage('meta: it does not decode');
  if (meta.clusterVersion > supportedClusterVersion) {
    // Not damage: a node with damaged rows rebuilds itself, this one needs newer software.
    throw new QuorateError(
      'STORAGE_FAILED',
      `Cannot load the state as cluster version ${supportedClusterVersion}: it is of version ${meta.clusterVersion}`,
    );
  }
  Object.assign(state, meta);
}

function loadKey(state: State, row: Uint8Array, value: Uint8Array): void {
  const facts = decodeFacts(value);
  const key = binaryOf(row.subarray(keyRowPrefixBytes));
  if (facts === undefined || key === '') throw damage('a key record: it does not decode');
  if (state.keys.find(key) !== undefined) throw damage('a new key: it is there already');
  state.keys.insert(key, facts);
}

function loadHealth(state: State, row: Uint8Array, value: Uint8Array): void {
  const health = decodeHealth(value);
  if (health === undefined) throw damage('the health of a key: it does not decode');
  const slot = state.keys.find(binaryOf(row.subarray(healthRowPrefixBytes)));
  const created = slot === undefined ? undefined : state.keys.facts(slot).createRevision;
  if (slot === undefined || created !== health.createRevision) {
    throw damage('the health of a key: there is no such key');
  }
  state.keys.setHealth(slot, health);
}

function loadEvent(state: State, row: Uint8Array, value: Uint8Array): void {
  const event = decodeEvent(value);
  if (event === undefined) throw damage('an event: it does not decode');
  state.ledger.set({ event, bytes: value.length, hash: hashOfRow(row, value) });
}

function loadSession(state: State, row: Uint8Array, value: Uint8Array): void {
  const session = decodeSession(fromUtf8(row.subarray(sessionRowPrefixBytes)), value);
  if (session === undefined) throw damage('a session: it does not decode');
  state.sessions.load(session, hashOfRow(row, value));
}

function loadExpiredSession(state: State, row: Uint8Array, value: Uint8Array): void {
  if (state.sessions.loadExpired(numberOfRow(row), fromBigEndian(value))) return;
  throw damage('the next expired session: it is not');
}

function loadNoSpace(state: State, value: Uint8Array): void {
  const reader = new ProtoReader(value);
  if (reader.nextField() === 1) state.noSpace = reader.string();
  if (reader.nextField() !== 0 || reader.failed || state.noSpace === '') {
    throw damage('the names of nodes without space: it does not decode');
  }
}

function loadSettings(state: State, value: Uint8Array): void {
  const reader = new ProtoReader(value);
  const settings = readSettings(reader);
  if (reader.failed) throw damage('settings: they do not decode');
  state.settings = { ...defaultDecisionSettings, ...settings };
}

const damage = (found: string): QuorateError =>
  new QuorateError('STORAGE_DAMAGED', `Cannot load a row of the state as ${found}`);
