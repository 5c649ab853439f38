import type { PeerId } from '../../shared/index.ts';
import { asIndex, asPeerId } from '../../shared/index.ts';
import { decodeFields, encodeFields } from '../../wire/index.ts';
import type { DigestMark } from '../replica/index.ts';

/** How a node is, as it tells the leader once a second. */
export interface Condition {
  readonly peer: PeerId;
  /** Too little disk space is left for more data. */
  readonly isLow: boolean;
  /** Its newest; null: none yet. */
  readonly mark: DigestMark | null;
}

const numbersOf = (mark: DigestMark | null): readonly number[] => [
  mark?.index ?? 0,
  mark?.digest ?? 0,
];

const markOf = ([index = 0, digest = 0]: readonly number[]): DigestMark | null =>
  index === 0 ? null : { index: asIndex(index), digest };

export const encodeCondition = ({ peer, isLow, mark }: Condition): Uint8Array =>
  encodeFields({ texts: [peer], numbers: [...numbersOf(mark), isLow ? 1 : 0] });

export function decodeCondition(bytes: Uint8Array): Condition {
  const { texts, numbers } = decodeFields(bytes);
  return { peer: asPeerId(texts[0] ?? ''), isLow: numbers[2] === 1, mark: markOf(numbers) };
}

/** The leader's answer: what a majority has where this node differs; null: nothing is wrong. */
export const encodeVerdict = (majority: DigestMark | null): Uint8Array =>
  encodeFields({ numbers: numbersOf(majority) });

export const decodeVerdict = (bytes: Uint8Array): DigestMark | null =>
  markOf(decodeFields(bytes).numbers);
