/** What a compare-and-set asks of the key before it writes. `null`: that there is no such key. */
export type Expectation = { readonly value: string | null } | { readonly revision: number | null };

/** What one request asked of one key, and what it was told. An absent answer was not looked at. */
export type KeyRequest =
  | { readonly kind: 'put'; readonly value: string; readonly revision?: number }
  | { readonly kind: 'delete'; readonly existed?: boolean }
  /** `value` null: the key was missing. `revision`: of its last change. */
  | { readonly kind: 'get'; readonly value: string | null; readonly revision?: number }
  | {
      readonly kind: 'compareAndSet';
      readonly expected: Expectation;
      readonly value: string;
      /** Without it the outcome is unknown. */
      readonly swapped?: boolean;
      /** That it wrote. */
      readonly revision?: number;
    };

/**
 * One request of a history. The times may be anything that grows (milliseconds, a counter) as long
 * as all come from one clock. `returnedAt` null: nobody knows what became of it, so it may take
 * effect at any time after its call, or never. Requests that were surely not carried out, and reads
 * without an answer, are left out of a history.
 */
export interface HistoryOperation {
  /** To name it in a complaint. */
  readonly name: string;
  readonly key: string;
  readonly invokedAt: number;
  readonly returnedAt: number | null;
  readonly request: KeyRequest;
}

/** One line for a person. */
export function describeOperation({
  name,
  key,
  invokedAt,
  returnedAt,
  request,
}: HistoryOperation): string {
  return `${name} [${invokedAt}..${returnedAt ?? '?'}] ${describeRequest(request)} of ${key}`;
}

function describeRequest(request: KeyRequest): string {
  const at = 'revision' in request ? ` at ${request.revision ?? '?'}` : '';
  switch (request.kind) {
    case 'put':
      return `put ${request.value}${at}`;
    case 'get':
      return `get ${request.value ?? 'nothing'}${at}`;
    case 'delete':
      return `delete${request.existed === undefined ? '' : ` existed ${request.existed}`}`;
    case 'compareAndSet':
      return `compareAndSet ${JSON.stringify(request.expected)} -> ${request.value}${at} swapped ${request.swapped ?? '?'}`;
  }
}
