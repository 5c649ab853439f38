import { codeOf, InvariantError, QuorateError } from '../../shared/index.ts';

/** Where in which file something is wrong. */
export interface Place {
  readonly path: string;
  /** Byte offset in the file. */
  readonly offset: number;
}

/** The log cannot be trusted: the node must neither vote nor acknowledge with it. */
export class LogDamage extends QuorateError {
  readonly place: Place;
  /** What is wrong there. */
  readonly what: string;

  constructor(place: Place, what: string, options?: ErrorOptions) {
    const { path, offset } = place;
    const message = `Cannot trust the log as history: ${path} at byte ${offset}: ${what}`;
    super('STORAGE_DAMAGED', message, options);
    this.place = place;
    this.what = what;
  }
}

export function damaged(place: Place, what: string, cause?: unknown): LogDamage {
  return new LogDamage(place, what, cause === undefined ? undefined : { cause });
}

/** Runs `work`; a failed system call becomes STORAGE_FAILED, errors of our own stay as they are. */
export async function asStorageWork<T>(
  action: string,
  directory: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof InvariantError || codeOf(cause) !== undefined) throw cause;
    const text = `Cannot ${action} as durable history in ${directory}: ${String(cause)}`;
    throw new QuorateError('STORAGE_FAILED', text, { cause });
  }
}
