import type { LogIndex } from '../../shared/index.ts';
import { asIndex, codeOf } from '../../shared/index.ts';
import type { Kv, KvFactory } from '../kv/kv.ts';
import type { Applied } from './engine-rows.ts';
import { isEngineRow, readApplied } from './engine-rows.ts';
import { unseal } from './sealed-row.ts';

/** More damaged rows than this are only counted. */
const SHOWN_MAX = 20;

/** What a walk over all rows of an engine found. */
export interface StateVerification {
  /** null: nothing says it, or it is damaged. */
  readonly appliedIndex: LogIndex | null;
  /** Of the state that was written; null: nothing says it. */
  readonly digest: number | null;
  readonly rows: number;
  readonly damagedRows: number;
  /** One sentence each; the first of them. */
  readonly findings: readonly string[];
}

export interface StateVisitor {
  readonly onRow?: (row: Uint8Array, value: Uint8Array) => void;
  readonly onProgress?: (rows: number) => void;
}

/**
 * Reads every row of the engine in `directory` and verifies it; changes nothing when the factory opens
 * for reading only. Throws DATA_DIRECTORY_LOCKED and STORAGE_FAILED.
 */
export async function verifyState(
  { kvFactory, directory }: { readonly kvFactory: KvFactory; readonly directory: string },
  visitor: StateVisitor = {},
): Promise<StateVerification> {
  const walk = new Walk(visitor);
  let kv: Kv | null = null;
  try {
    kv = await kvFactory.open(directory);
    await walk.readAll(kv);
  } catch (error) {
    walk.note(error);
  } finally {
    await kv?.close();
  }
  return walk.result;
}

class Walk {
  readonly #visitor: StateVisitor;
  readonly #findings: string[] = [];
  #applied: Applied | null = null;
  #rows = 0;
  #damagedRows = 0;

  constructor(visitor: StateVisitor) {
    this.#visitor = visitor;
  }

  get result(): StateVerification {
    return {
      appliedIndex: this.#applied?.index ?? null,
      digest: this.#applied?.digest ?? null,
      rows: this.#rows,
      damagedRows: this.#damagedRows,
      findings: this.#findings,
    };
  }

  async readAll(kv: Kv): Promise<void> {
    try {
      this.#applied = (await readApplied(kv)) ?? { index: asIndex(0), digest: null };
    } catch (error) {
      this.note(error);
    }
    const cursor = kv.iterate();
    try {
      for (let rows = await cursor.next(); rows.length > 0; rows = await cursor.next()) {
        for (const { row, value } of rows) this.#verify(row, value);
        this.#visitor.onProgress?.(this.#rows);
      }
    } finally {
      await cursor.close();
    }
  }

  /** Damage is a finding, once for each cause; anything else ends the walk. */
  note(error: unknown): void {
    if (codeOf(error) !== 'STORAGE_DAMAGED' || !(error instanceof Error)) throw error;
    const { message } = error;
    if (this.#findings.length >= SHOWN_MAX || this.#findings.includes(message)) return;
    this.#findings.push(message);
  }

  #verify(row: Uint8Array, sealed: Uint8Array): void {
    this.#rows++;
    if (isEngineRow(row)) return;
    try {
      this.#visitor.onRow?.(row, unseal(row, sealed));
    } catch (error) {
      this.#damagedRows++;
      this.note(error);
    }
  }
}
