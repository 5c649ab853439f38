/** Every expected failure of the product; edges map codes to HTTP statuses and exit codes. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'PARAM_INVALID'
  | 'KEY_NOT_FOUND'
  | 'NOT_FOUND'
  | 'TOO_LARGE'
  | 'STORE_FULL'
  | 'NO_LEADER'
  | 'NOT_LEADER'
  | 'UNKNOWN_OUTCOME'
  | 'OVERLOADED'
  | 'CONFLICT'
  | 'SESSION_EXPIRED'
  | 'UNREACHABLE'
  | 'STORAGE_FAILED'
  | 'STORAGE_DAMAGED'
  | 'DATA_DIRECTORY_LOCKED'
  | 'STOPPED';

/**
 * An expected failure. The message says `Cannot <action> as <wanted>: <found>`, without a full stop.
 */
export class QuorateError extends Error {
  override readonly name = 'QuorateError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The code of an expected failure, or undefined for anything else. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof QuorateError ? error.code : undefined;
}
