import { ProtoWriter } from '../wire/index.ts';
import { encodeMeta } from './codec/row-codec.ts';
import { writeSettings } from './codec/settings-codec.ts';
import { hashOfRow, hashOfText } from './item-hash.ts';
import { metaRow, settingsRow } from './rows.ts';
import type { State } from './state.ts';

/**
 * Checksum of everything that is replicated (values count by their checksums), kept up to date by
 * the parts of the state: it takes a microsecond, and a state loaded from its rows has the same: it is
 * stored beside them, and a difference is damage. A change to what goes into it makes nodes differ, and
 * stored states too: it needs a cluster version.
 */
export function digestOf(state: State): number {
  const writer = new ProtoWriter(256);
  const meta = hashOfRow(metaRow(), encodeMeta(writer, state));
  writeSettings(writer, state.settings ?? {});
  const settings = hashOfRow(settingsRow(), writer.take());
  const noSpace = hashOfText(state.noSpace);
  const { keys, ledger, sessions } = state;
  return (meta + settings + noSpace + keys.digest + ledger.digest + sessions.digest) >>> 0;
}
