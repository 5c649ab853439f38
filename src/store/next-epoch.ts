import { QuorateError } from '../shared/index.ts';
import { ProtoWriter } from '../wire/index.ts';
import { decodeMeta, encodeMeta } from './codec/row-codec.ts';
import { metaRow } from './rows.ts';
import { emptyState } from './state.ts';
import { storeLimits } from './limits.ts';
import type { RowWrite } from './types.ts';

/**
 * What `recover` writes into the engine so that every later token is above all earlier ones.
 * `metaValue`: the present value of the meta row, null when there is none. Throws STORAGE_DAMAGED.
 */
export function nextEpochWrite(metaValue: Uint8Array | null): RowWrite {
  const meta = metaValue === null ? emptyState(storeLimits) : decodeMeta(metaValue);
  if (meta === undefined) {
    throw new QuorateError(
      'STORAGE_DAMAGED',
      'Cannot read the meta row as meta: it does not decode',
    );
  }
  const next = { ...meta, epoch: meta.epoch + 1 };
  return { row: metaRow(), value: encodeMeta(new ProtoWriter(64), next) };
}
