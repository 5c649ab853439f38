/** A broken invariant: the process must stop rather than go on wrongly. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Stops the node when an invariant does not hold. Never used on input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Marks a switch as exhaustive. */
export function assertNever(value: never): never {
  throw new InvariantError(`Unhandled case: ${JSON.stringify(value)}`);
}
