import { QuorateError } from '../shared/index.ts';
import type { ErrorCode } from '../shared/index.ts';

/** What a client gets instead of an answer. */
export interface Refusal {
  readonly status: number;
  /** The body without its newline. */
  readonly text: string;
  /** For the header X-Quorate-Error: why, in one line. */
  readonly reason: string;
  readonly retryAfterSeconds?: number;
  /** Methods for the header Allow. */
  readonly allow?: string;
}

/** Thrown by what parses a request; never by the node, which throws QuorateError. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

/** 400 with the contract's text; `reason` says what is wrong. */
export function paramError(reason: string): RefusedRequest {
  return new RefusedRequest({
    status: 400,
    text: 'param error',
    reason: `PARAM_INVALID: ${reason}`,
  });
}

/** 413 naming the limit. */
export function tooLarge(what: string, foundBytes: number, limitBytes: number): RefusedRequest {
  const text = `${what} is ${foundBytes} bytes, above the limit of ${limitBytes} bytes`;
  return new RefusedRequest({ status: 413, text, reason: `TOO_LARGE: ${text}` });
}

/** 404 with the text of the routes that show one key. */
export function keyNotFound(key: string): RefusedRequest {
  const text = `key ${key} not found`;
  return new RefusedRequest({ status: 404, text, reason: `KEY_NOT_FOUND: ${text}` });
}

interface Answer {
  readonly status: number;
  /** Fixed text of the contract; without it the error's message is the text. */
  readonly text?: string;
  readonly retryAfterSeconds?: number;
}

const internalError: Answer = { status: 500, text: 'internal error' };
const noLeader: Answer = { status: 503, text: 'no leader', retryAfterSeconds: 1 };

/** The only place where error codes become HTTP. */
const answers: Readonly<Record<ErrorCode, Answer>> = {
  PARAM_INVALID: { status: 400, text: 'param error' },
  KEY_NOT_FOUND: { status: 404 },
  NOT_FOUND: { status: 404 },
  CONFLICT: { status: 409 },
  SESSION_EXPIRED: { status: 410 },
  TOO_LARGE: { status: 413 },
  UNREACHABLE: { status: 502 },
  NO_LEADER: noLeader,
  NOT_LEADER: noLeader,
  OVERLOADED: { status: 503, text: 'overloaded', retryAfterSeconds: 1 },
  STOPPED: { status: 503, text: 'stopping', retryAfterSeconds: 1 },
  UNKNOWN_OUTCOME: { status: 504, text: 'unknown outcome' },
  STORE_FULL: { status: 507 },
  CONFIG_INVALID: internalError,
  STORAGE_FAILED: internalError,
  STORAGE_DAMAGED: internalError,
  DATA_DIRECTORY_LOCKED: internalError,
};

/** What the client gets for `error`; undefined for anything that nobody expected. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RefusedRequest) return error.refusal;
  if (!(error instanceof QuorateError)) return undefined;
  const { text, ...answer } = answers[error.code];
  if (answer.status === 500) return undefined;
  return { ...answer, text: text ?? error.message, reason: `${error.code}: ${error.message}` };
}
