import type { LogIndex } from '../../shared/index.ts';
import { asIndex, QuorateError } from '../../shared/index.ts';
import type { RowRange } from '../../store/index.ts';
import type { Kv, KvCursor, KvRow, KvWrite } from '../kv/kv.ts';
import { seal, unseal } from './sealed-row.ts';

/** Rows of the engine itself; rows of the state machine never start with this byte. */
const ENGINE_TABLE = 0x00;
const FORMAT_VERSION = 1;

/** They sort before all others, so a cursor meets them first. */
const formatRow = Uint8Array.of(ENGINE_TABLE, 0x00);
const appliedRow = Uint8Array.of(ENGINE_TABLE, 0x01);

export const isEngineRow = (row: Uint8Array): boolean => row[0] === ENGINE_TABLE;

/** States the format; part of the first batch of a database, or the last one of an install. */
export function formatWrite(): KvWrite {
  const value = Buffer.alloc(4);
  value.writeUInt32LE(FORMAT_VERSION);
  return { row: formatRow, value: seal(formatRow, value) };
}

/** What a database reaches: the entry at `index`, and with it a state of this digest. */
export interface Applied {
  readonly index: LogIndex;
  /** null: nothing says it, as before the first entry. */
  readonly digest: number | null;
}

const INDEX_BYTES = 8;
const DIGEST_BYTES = 4;

/** States what the batch reaches; part of every batch. Index u64, then the digest u32 if there is one. */
export function appliedWrite({ index, digest }: Applied): KvWrite {
  const value = Buffer.alloc(INDEX_BYTES + (digest === null ? 0 : DIGEST_BYTES));
  value.writeBigUInt64LE(BigInt(index));
  if (digest !== null) value.writeUInt32LE(digest, INDEX_BYTES);
  return { row: appliedRow, value: seal(appliedRow, value) };
}

/**
 * What a database reaches; null when it is new. Throws STORAGE_DAMAGED when it was never
 * filled to the end, CONFIG_INVALID when a later version of the program wrote it.
 */
export async function readApplied(kv: Kv): Promise<Applied | null> {
  const [format = null, applied = null] = await kv.getMany([formatRow, appliedRow]);
  if (format === null && applied === null && (await isEmpty(kv))) return null;
  return appliedOf(format, applied);
}

/** The state machine's rows as of one applied index. */
export interface StateCursor {
  readonly appliedIndex: LogIndex;
  /** Of the state in these rows; null: nothing says it. */
  readonly digest: number | null;
  /** Some next rows in order with verified values; empty at the end. Throws STORAGE_DAMAGED. */
  next(): Promise<readonly KvRow[]>;
  close(): Promise<void>;
}

/** Hands over the state machine's rows in the range, values verified. Throws STORAGE_DAMAGED. */
export async function visitRows(
  kv: Kv,
  range: RowRange,
  visit: (row: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  const cursor = kv.iterate(range);
  try {
    for (let rows = await cursor.next(); rows.length > 0; rows = await cursor.next()) {
      for (const { row, value } of rows) if (!isEngineRow(row)) visit(row, unseal(row, value));
    }
  } finally {
    await cursor.close();
  }
}

/** The applied index comes from the same moment as the rows. */
export async function openStateCursor(kv: Kv): Promise<StateCursor> {
  const cursor = kv.iterate();
  try {
    return await startCursor(cursor);
  } catch (error) {
    await cursor.close();
    throw error;
  }
}

async function startCursor(cursor: KvCursor): Promise<StateCursor> {
  const found: KvRow[] = [];
  // The engine's rows may arrive in parts: go on until a row of the state machine or the end.
  let batch = await cursor.next();
  while (batch.length > 0 && batch.every(({ row }) => isEngineRow(row))) {
    found.push(...batch);
    batch = await cursor.next();
  }
  found.push(...batch);
  let first: readonly KvRow[] | null = found.filter(({ row }) => !isEngineRow(row));
  if (first.length === 0) first = null;
  const valueOf = (wanted: Uint8Array): Uint8Array | null =>
    found.find(({ row }) => row.length === 2 && row[0] === wanted[0] && row[1] === wanted[1])
      ?.value ?? null;
  const { index: appliedIndex, digest } = appliedOf(valueOf(formatRow), valueOf(appliedRow));
  return {
    appliedIndex,
    digest,
    next: async () => {
      const sealed = first ?? (await cursor.next());
      first = null;
      return sealed.map(({ row, value }) => ({ row, value: unseal(row, value) }));
    },
    close: () => cursor.close(),
  };
}

function appliedOf(format: Uint8Array | null, applied: Uint8Array | null): Applied {
  if (format === null || applied === null) {
    const missing = format === null ? 'format' : 'applied index';
    const message = `Cannot read the state as a whole one: no row says its ${missing}`;
    throw new QuorateError('STORAGE_DAMAGED', message);
  }
  checkFormat(format);
  return decodeApplied(view(unseal(appliedRow, applied)));
}

function decodeApplied(value: DataView): Applied {
  const hasDigest = value.byteLength === INDEX_BYTES + DIGEST_BYTES;
  if (!hasDigest && value.byteLength !== INDEX_BYTES) {
    const message = `Cannot read what the state reaches as an index and a digest: ${value.byteLength} bytes`;
    throw new QuorateError('STORAGE_DAMAGED', message);
  }
  const index = asIndex(Number(value.getBigUint64(0, true)));
  return { index, digest: hasDigest ? value.getUint32(INDEX_BYTES, true) : null };
}

function checkFormat(sealed: Uint8Array): void {
  const version = view(unseal(formatRow, sealed)).getUint32(0, true);
  if (version === FORMAT_VERSION) return;
  const message = `Cannot read the state as format ${FORMAT_VERSION}: it has format ${version}`;
  throw new QuorateError('CONFIG_INVALID', message);
}

async function isEmpty(kv: Kv): Promise<boolean> {
  const cursor = kv.iterate();
  try {
    return (await cursor.next()).length === 0;
  } finally {
    await cursor.close();
  }
}

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
