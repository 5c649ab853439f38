import type { CommandResult } from './types.ts';

export type Failure = Extract<CommandResult, { ok: false }>;

/** What one operation did: whether it changed something, or why the envelope fails. */
export type OperationOutcome = boolean | Failure;

export const failure = (code: Failure['code'], message: string): Failure => ({
  ok: false,
  code,
  message,
});
