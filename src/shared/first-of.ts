import { assert } from './assert.ts';

/** The first of a list that has one. */
export function firstOf<T>(list: readonly T[]): T {
  const [first] = list;
  assert(first !== undefined, 'The list is not empty');
  return first;
}
