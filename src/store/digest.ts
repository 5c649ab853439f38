import { crc32c } from '../shared/index.ts';
import { ProtoWriter } from '../wire/index.ts';
import { bytesOf } from './binary.ts';
import { encodeEvent } from './codec/event-codec.ts';
import { encodeFacts, encodeHealth, encodeMeta } from './codec/row-codec.ts';
import { encodeSession } from './codec/session-codec.ts';
import { writeSettings } from './codec/settings-codec.ts';
import {
  eventRow,
  expiredSessionRow,
  expiredValue,
  healthRow,
  keyRow,
  metaRow,
  sessionRow,
  settingsRow,
} from './rows.ts';
import type { SessionTable } from './session-table.ts';
import type { State } from './state.ts';

type Visit = (row: Uint8Array, value: Uint8Array) => void;

/**
 * Visits every row that the state stands for, but the values, in a fixed order: what the engine
 * holds once all writes have reached it. Meta is among them even while nothing has changed.
 */
export function visitRows(state: State, visit: Visit): void {
  const writer = new ProtoWriter(65_536);
  visit(metaRow(), encodeMeta(writer, state));
  for (const [key, slot] of state.keys.scan('', false)) {
    const bytes = bytesOf(key);
    visit(keyRow(writer, bytes), encodeFacts(writer, state.keys.facts(slot)));
    const health = state.keys.health(slot);
    if (health !== undefined) visit(healthRow(writer, bytes), encodeHealth(writer, health));
  }
  for (const { event } of state.ledger.oldestFirst()) {
    visit(eventRow(event.id), encodeEvent(writer, event));
  }
  if (state.settings !== null) {
    writeSettings(writer, state.settings);
    visit(settingsRow(), writer.take());
  }
  visitSessions(state.sessions, writer, visit);
}

function visitSessions(sessions: SessionTable, writer: ProtoWriter, visit: Visit): void {
  for (const session of sessions.inOrder()) {
    visit(sessionRow(writer, session.id), encodeSession(writer, session));
  }
  const first = sessions.oldestExpired;
  for (let number = first; number < first + sessions.expiredCount; number++) {
    visit(expiredSessionRow(number), expiredValue(sessions.expiredHash(number)));
  }
}

/** CRC-32C over all rows; values count by their checksums. Takes about 1 µs a key. */
export function digestOf(state: State): number {
  let digest = 0;
  visitRows(state, (row, value) => {
    digest = crc32c(value, crc32c(row, digest));
  });
  return digest;
}
