import type { Expectation, KeyRequest } from './history-operation.ts';

type CompareAndSet = Extract<KeyRequest, { readonly kind: 'compareAndSet' }>;

/** A key as the model has it. */
export interface KeyState {
  readonly value: string | null;
  /** null: the key is missing, or was written by somebody who was never told. */
  readonly revision: number | null;
  /** The newest revision that is known; those of later changes are higher. */
  readonly floor: number;
}

export const missing: KeyState = { value: null, revision: null, floor: 0 };

/** What `request` may make of `state`; nothing when it cannot have been answered so there. */
export function carryOut(state: KeyState, request: KeyRequest): readonly KeyState[] {
  switch (request.kind) {
    case 'put':
      return put(state, request.value, request.revision);
    case 'delete':
      if (request.existed !== undefined && request.existed !== (state.value !== null)) return [];
      return [{ ...missing, floor: state.floor }];
    case 'get':
      return see(state, request.value, request.revision);
    case 'compareAndSet':
      return compareAndSet(state, request);
  }
}

function put(state: KeyState, value: string, revision: number | undefined): readonly KeyState[] {
  if (revision === undefined) return [{ value, revision: null, floor: state.floor }];
  return revision > state.floor ? [{ value, revision, floor: revision }] : [];
}

/** An answer tells the revision of what nobody was told of before. */
function see(
  state: KeyState,
  value: string | null,
  revision: number | undefined,
): readonly KeyState[] {
  if (state.value !== value) return [];
  if (revision === undefined || value === null) return [state];
  if (state.revision !== null) return state.revision === revision ? [state] : [];
  return put(state, value, revision);
}

function compareAndSet(state: KeyState, request: CompareAndSet): readonly KeyState[] {
  const { expected, swapped, value, revision } = request;
  const holds = isAsExpected(state, expected);
  const otherwise = swapped === true || holds === true ? [] : [state];
  const swap = swapped === false || holds === false ? [] : put(state, value, revision);
  return [...otherwise, ...swap];
}

/** null: cannot be told. */
function isAsExpected(state: KeyState, expected: Expectation): boolean | null {
  if ('value' in expected) return state.value === expected.value;
  if (expected.revision === null || state.value === null) {
    return expected.revision === null && state.value === null;
  }
  return state.revision === null ? null : state.revision === expected.revision;
}

/**
 * It is possible, changes nothing and learns nothing: it may as well happen as early as it can. Not
 * so a swap of which nobody knows whether it won: later it could, and somebody may have seen that.
 */
export function isSilent(state: KeyState, request: KeyRequest): boolean {
  if (request.kind === 'compareAndSet' && request.swapped === undefined) return false;
  const possible = carryOut(state, request);
  return possible.length === 1 && possible[0] === state;
}

export const describeState = ({ value, revision }: KeyState): string =>
  value === null ? 'nothing' : `${value} at ${revision ?? '?'}`;
