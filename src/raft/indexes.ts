import type { LogIndex, Term } from '../shared/index.ts';

/** Arithmetic on indexes and terms: the only place of the core with casts between them. */

export const ZERO_INDEX = 0 as LogIndex;
export const ZERO_TERM = 0 as Term;

export const plus = (index: LogIndex, count: number): LogIndex => (index + count) as LogIndex;
export const next = (index: LogIndex): LogIndex => (index + 1) as LogIndex;
export const previous = (index: LogIndex): LogIndex => (index - 1) as LogIndex;
export const minIndex = (a: LogIndex, b: LogIndex): LogIndex => (a < b ? a : b);
export const maxIndex = (a: LogIndex, b: LogIndex): LogIndex => (a > b ? a : b);
export const nextTerm = (term: Term): Term => (term + 1) as Term;
