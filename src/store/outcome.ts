import type { CommandResult } from './types.ts';

export type Failure = Extract<CommandResult, { ok: false }>;

/** What one operation did: whether it changed something, or why the envelope fails. */
export type OperationOutcome = boolean | Failure;

/**
 * A refusal. Sessions keep its text, so that is replicated state: nodes that word it differently
 * have different digests, and other words need a cluster version.
 */
export const failure = (code: Failure['code'], message: string): Failure => ({
  ok: false,
  code,
  message,
});
