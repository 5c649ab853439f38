import { QuorateError } from '../../shared/index.ts';
import type { ErrorCode } from '../../shared/index.ts';
import type { CallFailure } from './frames.ts';

/** Complete by its type: a new code must be added here to travel. */
const codes: Readonly<Record<ErrorCode, true>> = {
  CONFIG_INVALID: true,
  PARAM_INVALID: true,
  KEY_NOT_FOUND: true,
  NOT_FOUND: true,
  TOO_LARGE: true,
  STORE_FULL: true,
  NO_LEADER: true,
  NOT_LEADER: true,
  UNKNOWN_OUTCOME: true,
  OVERLOADED: true,
  CONFLICT: true,
  SESSION_EXPIRED: true,
  UNREACHABLE: true,
  STORAGE_FAILED: true,
  STORAGE_DAMAGED: true,
  DATA_DIRECTORY_LOCKED: true,
  STOPPED: true,
};

/** What travels for an error. Of an unexpected one only that nobody knows what was done. */
export function failureOf(error: unknown): CallFailure {
  if (error instanceof QuorateError) return { code: error.code, message: error.message };
  return {
    code: 'UNKNOWN_OUTCOME',
    message: 'Cannot tell the outcome of the call: it failed unexpectedly, see the log there',
  };
}

/** The error that a failure stands for. A code that a newer peer made up says nothing for sure. */
export function errorOf(failure: CallFailure): QuorateError {
  const code = Object.hasOwn(codes, failure.code) ? (failure.code as ErrorCode) : 'UNKNOWN_OUTCOME';
  return new QuorateError(code, failure.message);
}
