import { assert, crc32c, equalBytes } from '../shared/index.ts';
import type { BinaryKey } from './binary.ts';
import { binaryOf, textOf } from './binary.ts';
import type { KeyFacts } from './codec/row-codec.ts';
import { encodeFacts } from './codec/row-codec.ts';
import type { Slot } from './key-columns.ts';
import { chargedBytes } from './key-index.ts';
import { supersedeOfDeletedKey } from './notification-operations.ts';
import type { Failure, OperationOutcome } from './outcome.ts';
import { failure } from './outcome.ts';
import { recordOf } from './key-record.ts';
import { healthRow, keyRow, valueRow } from './rows.ts';
import type { State } from './state.ts';
import type { Transaction } from './transaction.ts';

export function applyPut(
  transaction: Transaction,
  put: { readonly key: Uint8Array; readonly value: Uint8Array },
): OperationOutcome {
  const { keys, noSpace } = transaction.state;
  if (noSpace !== '') return failure('STORE_FULL', noSpaceMessage(noSpace));
  const key = binaryOf(put.key);
  const slot = keys.find(key);
  return slot === undefined
    ? create(transaction, key, put)
    : change(transaction, { key, slot }, put);
}

/** Why puts are refused while disks are nearly full. */
export const noSpaceMessage = (nodes: string): string =>
  `Cannot put the key while disk space runs out: too little is left on ${nodes}`;

interface Put {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface Found {
  readonly key: BinaryKey;
  readonly slot: Slot;
}

function create(transaction: Transaction, key: BinaryKey, put: Put): OperationOutcome {
  const { state, revision } = transaction;
  const { keys, limits } = state;
  if (keys.size >= limits.keysMax) {
    return failure('STORE_FULL', `Cannot put the key as one of ${limits.keysMax}: all are in use`);
  }
  const refusal = refusalOf(state, chargedBytes(key, put.value.length));
  if (refusal !== null) return refusal;
  const facts = {
    createRevision: revision,
    modRevision: revision,
    version: 1,
    ...writeValue(transaction, put.value, crc32c(put.value)),
  };
  keys.insert(key, facts);
  if (transaction.isAtomic) transaction.onRollback(() => removeNow(state, key));
  return announce(transaction, key, put, facts);
}

function change(transaction: Transaction, found: Found, put: Put): OperationOutcome {
  const { state, revision } = transaction;
  const before = state.keys.facts(found.slot);
  const checksum = crc32c(put.value);
  const mayBeSame = before.valueBytes === put.value.length && before.valueChecksum === checksum;
  const isSame = mayBeSame && equalBytes(transaction.valueOf(before), put.value);
  const next = { ...before, modRevision: revision, version: before.version + 1 };
  if (isSame) return replace(transaction, found, { put, before, after: next });
  const refusal = refusalOf(state, put.value.length - before.valueBytes);
  if (refusal !== null) return refusal;
  const after = { ...next, ...writeValue(transaction, put.value, checksum) };
  transaction.write(valueRow(before.valueRevision, before.valueSub), null);
  return replace(transaction, found, { put, before, after });
}

function replace(
  transaction: Transaction,
  found: Found,
  step: { readonly put: Put; readonly before: KeyFacts; readonly after: KeyFacts },
): OperationOutcome {
  const { keys } = transaction.state;
  if (transaction.isAtomic) transaction.onRollback(() => keys.replace(found.slot, step.before));
  keys.replace(found.slot, step.after);
  return announce(transaction, found.key, step.put, step.after);
}

export function applyDelete(transaction: Transaction, keyBytes: Uint8Array): OperationOutcome {
  const { state } = transaction;
  const { keys } = state;
  const key = binaryOf(keyBytes);
  const slot = keys.find(key);
  if (slot === undefined) return false;
  const facts = keys.facts(slot);
  const health = keys.health(slot);
  if (transaction.isAtomic) {
    transaction.onRollback(() => {
      const again = keys.insert(key, facts);
      assert(again === slot, 'Undoing in reverse order gives a key its slot back');
      keys.setHealth(again, health);
    });
  }
  keys.remove(key, slot);
  transaction.write(keyRow(transaction.writer, keyBytes), null);
  transaction.write(valueRow(facts.valueRevision, facts.valueSub), null);
  if (health !== undefined) transaction.write(healthRow(transaction.writer, keyBytes), null);
  supersedeOfDeletedKey(transaction, key, facts.createRevision);
  transaction.notices.push({ kind: 'key', key: textOf(key), record: null });
  return true;
}

function removeNow(state: State, key: BinaryKey): void {
  const slot = state.keys.find(key);
  if (slot !== undefined) state.keys.remove(key, slot);
}

/** Puts that make the database larger must leave the reserve free. */
function refusalOf(state: State, growthBytes: number): Failure | null {
  const { keys, limits } = state;
  const roomBytes = limits.databaseBytesMax - limits.reserveBytes;
  if (growthBytes <= 0 || keys.bytes + growthBytes <= roomBytes) return null;
  return failure(
    'STORE_FULL',
    `Cannot put the value as ${growthBytes} more bytes: ${keys.bytes} of ${roomBytes} are in use`,
  );
}

function writeValue(
  transaction: Transaction,
  value: Uint8Array,
  valueChecksum: number,
): Pick<KeyFacts, 'valueRevision' | 'valueSub' | 'valueBytes' | 'valueChecksum'> {
  const valueSub = transaction.nextSub();
  transaction.writeValue(valueSub, value);
  return {
    valueRevision: transaction.revision,
    valueSub,
    valueBytes: value.length,
    valueChecksum,
  };
}

function announce(
  transaction: Transaction,
  key: BinaryKey,
  put: Put,
  facts: KeyFacts,
): OperationOutcome {
  const { writer } = transaction;
  transaction.write(keyRow(writer, put.key), encodeFacts(writer, facts));
  transaction.notices.push({
    kind: 'key',
    key: textOf(key),
    record: recordOf(put.key.slice(), facts),
  });
  return true;
}
