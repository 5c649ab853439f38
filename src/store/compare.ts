import { assertNever, crc32c, equalBytes } from '../shared/index.ts';
import { binaryOf } from './binary.ts';
import type { KeyFacts } from './codec/row-codec.ts';
import type { Transaction } from './transaction.ts';
import type { Compare } from './types.ts';

/** Whether only the bytes themselves can tell if `value` is what the key holds. */
export const needsBytes = (facts: KeyFacts, value: Uint8Array): boolean =>
  facts.valueBytes === value.length && facts.valueChecksum === crc32c(value);

/**
 * Whether one condition holds. A key that does not exist has revisions and version 0; no condition
 * on its value holds.
 */
export function holds(transaction: Transaction, compare: Compare): boolean {
  const { keys } = transaction.state;
  const slot = keys.find(binaryOf(compare.key));
  const facts = slot === undefined ? undefined : keys.facts(slot);
  if (compare.target !== 'value') {
    return numbersRelate(facts?.[compare.target] ?? 0, compare.relation, compare.number);
  }
  if (facts === undefined) return false;
  const isEqual =
    needsBytes(facts, compare.bytes) && equalBytes(transaction.valueOf(facts), compare.bytes);
  return isEqual === (compare.relation === 'equal');
}

function numbersRelate(found: number, relation: Compare['relation'], wanted: number): boolean {
  switch (relation) {
    case 'equal':
      return found === wanted;
    case 'notEqual':
      return found !== wanted;
    case 'less':
      return found < wanted;
    case 'greater':
      return found > wanted;
    default:
      return assertNever(relation);
  }
}
