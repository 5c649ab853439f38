import type { Revision } from '../shared/index.ts';
import { utf8 } from '../shared/index.ts';
import type { ProtoWriter } from '../wire/index.ts';
import type { RowRange } from './ports.ts';

/**
 * Keys of the engine's rows. The first byte is the table, the second the keyspace (0 so far):
 *
 *   01                                  meta: revision, epoch, cluster version, clocks
 *   02 keyspace type(00) key            key record
 *   03 keyspace revision(8) sub(2)      value, the user's bytes; big-endian, so in order of writing
 *   04 keyspace key                     health of a key
 *   05 keyspace revision(8)             event
 *   06                                  settings
 *   07 keyspace id                      session of a client, with its stored results
 *   08 keyspace number(8)               id of an expired session, as a hash
 *   09                                  nodes whose disks are nearly full, while there are any
 *
 * A value row is written once and named by the revision that wrote it, `sub` counting the puts of
 * that revision. So the rows can hold history: it needs a table (key, revision) -> record beside
 * them and a compaction revision in meta. Until then the compaction revision is the current one:
 * the row of a superseded value is deleted in the batch that supersedes it.
 */
export const tables = {
  meta: 1,
  key: 2,
  value: 3,
  health: 4,
  event: 5,
  settings: 6,
  session: 7,
  expiredSession: 8,
  noSpace: 9,
} as const;

/** All that a start needs: everything but the values, which may be most of the database. */
export const loadedRanges: readonly RowRange[] = [
  { to: Uint8Array.of(tables.value) },
  { from: Uint8Array.of(tables.value + 1) },
];

const KEYSPACE = 0;
const PLAIN_TYPE = 0;
export const keyRowPrefixBytes = 3;
export const healthRowPrefixBytes = 2;
export const sessionRowPrefixBytes = 2;

export const metaRow = (): Uint8Array => Uint8Array.of(tables.meta);
export const noSpaceRow = (): Uint8Array => Uint8Array.of(tables.noSpace);
export const settingsRow = (): Uint8Array => Uint8Array.of(tables.settings);

export const keyRow = (writer: ProtoWriter, key: Uint8Array): Uint8Array =>
  writer.byte(tables.key).byte(KEYSPACE).byte(PLAIN_TYPE).raw(key).take();

export const healthRow = (writer: ProtoWriter, key: Uint8Array): Uint8Array =>
  writer.byte(tables.health).byte(KEYSPACE).raw(key).take();

export function valueRow(revision: Revision, sub: number): Uint8Array {
  const row = new Uint8Array(12);
  row[0] = tables.value;
  row[1] = KEYSPACE;
  setBigEndian(row, 2, revision);
  row[10] = sub >>> 8;
  row[11] = sub & 0xff;
  return row;
}

export const eventRow = (id: Revision): Uint8Array => numberedRow(tables.event, id);

/** `id` is ASCII. */
export const sessionRow = (writer: ProtoWriter, id: string): Uint8Array =>
  writer.byte(tables.session).byte(KEYSPACE).raw(utf8(id)).take();

export const expiredSessionRow = (number: number): Uint8Array =>
  numberedRow(tables.expiredSession, number);

/** Value of an expired session's row: the hash of its id. */
export function expiredValue(hash: number): Uint8Array {
  const value = new Uint8Array(8);
  setBigEndian(value, 0, hash);
  return value;
}

/** The number of an expired session's row. */
export const numberOfRow = (row: Uint8Array): number => fromBigEndian(row.subarray(2));

export const fromBigEndian = (bytes: Uint8Array): number =>
  bytes.reduce((number, byte) => number * 256 + byte, 0);

function numberedRow(table: number, number: number): Uint8Array {
  const row = new Uint8Array(10);
  row[0] = table;
  row[1] = KEYSPACE;
  setBigEndian(row, 2, number);
  return row;
}

function setBigEndian(bytes: Uint8Array, offset: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  const low = value >>> 0;
  for (let i = 0; i < 4; i++) {
    bytes[offset + i] = high >>> (24 - 8 * i);
    bytes[offset + 4 + i] = low >>> (24 - 8 * i);
  }
}
