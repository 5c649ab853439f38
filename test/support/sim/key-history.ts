import { fromUtf8 } from '../../../src/shared/index.ts';
import type { Applied } from '../../../src/node/replica/index.ts';
import type { Compare, Envelope, Operation } from '../../../src/store/index.ts';
import { checkHistory } from '../linearizability/index.ts';
import type { HistoryOperation, HistoryVerdict, KeyRequest } from '../linearizability/index.ts';
import type { Answer } from './history.ts';

type Branch = 'then' | 'else';

interface Touch {
  readonly key: string;
  readonly request: KeyRequest;
}

/**
 * What clients asked of single keys and what they were told, for the linearizability checker. A
 * request that touches two keys is one request of each.
 */
export class KeyHistory {
  readonly #operations: HistoryOperation[] = [];
  /** Values by their bytes; the checker only compares them. */
  readonly #values = new Map<string, string>();
  #now = 0;

  /** To be called when a request goes out; what it returns belongs to its answer. */
  invoke(): number {
    return ++this.#now;
  }

  onApplied(name: string, invokedAt: number, envelope: Envelope, applied: Applied): void {
    const { branch, revision, changed } = applied;
    const answer = { revision, changed };
    this.#add(name, invokedAt, this.#touches(envelope, branch, answer), ++this.#now);
  }

  /** It may have been carried out, or be carried out later, or never. */
  onUnknown(name: string, invokedAt: number, envelope: Envelope): void {
    const touches = (['then', 'else'] as const).flatMap((branch) =>
      this.#touches(envelope, branch, null),
    );
    this.#add(name, invokedAt, touches, null);
  }

  onRead(name: string, invokedAt: number, { key, record, value }: Answer): void {
    const request: KeyRequest =
      record === null || value === null
        ? { kind: 'get', value: null }
        : { kind: 'get', value: this.#nameOf(value), revision: record.modRevision };
    this.#add(name, invokedAt, [{ key, request }], ++this.#now);
  }

  check(): HistoryVerdict {
    return checkHistory(this.#operations);
  }

  #add(
    name: string,
    invokedAt: number,
    touches: readonly Touch[],
    returnedAt: number | null,
  ): void {
    for (const touch of touches) this.#operations.push({ name, invokedAt, returnedAt, ...touch });
  }

  #touches(
    envelope: Envelope,
    branch: Branch,
    answer: { readonly revision: number; readonly changed: boolean } | null,
  ): readonly Touch[] {
    const condition = envelope.compare[0];
    const expected = condition === undefined ? null : expectedRevision(condition);
    const operations = this.#plain(envelope[branch], answer);
    if (condition === undefined || expected === null) return operations;
    if (branch === 'else' && answer === null) return operations;
    const swap = this.#swap(envelope, condition, { expected, branch, answer });
    return branch === 'then' ? swap : [...swap, ...operations];
  }

  /** A condition on the revision of the very key that is written: the checker knows it too. */
  #swap(
    { then }: Envelope,
    { key }: Compare,
    told: {
      readonly expected: { readonly revision: number | null };
      readonly branch: Branch;
      readonly answer: { readonly revision: number } | null;
    },
  ): readonly Touch[] {
    const put = then[0];
    if (put?.kind !== 'put') return [];
    const { expected, branch, answer } = told;
    const value = this.#nameOf(put.value);
    const request = { kind: 'compareAndSet', expected, value } as const;
    const outcome =
      answer === null
        ? {}
        : branch === 'then'
          ? { swapped: true, revision: answer.revision }
          : { swapped: false };
    return [{ key: fromUtf8(key), request: { ...request, ...outcome } }];
  }

  /** Of two operations on one key only the last can be seen. */
  #plain(
    operations: readonly Operation[],
    answer: { readonly revision: number; readonly changed: boolean } | null,
  ): readonly Touch[] {
    const touches = new Map<string, KeyRequest>();
    for (const operation of operations) {
      if (operation.kind === 'put') {
        const value = this.#nameOf(operation.value);
        const request = { kind: 'put', value } as const;
        const revision = answer?.revision;
        touches.set(
          fromUtf8(operation.key),
          revision === undefined ? request : { ...request, revision },
        );
      } else if (operation.kind === 'delete') {
        const isAlone = operations.length === 1 && answer !== null;
        const request = { kind: 'delete' } as const;
        touches.set(
          fromUtf8(operation.key),
          isAlone ? { ...request, existed: answer.changed } : request,
        );
      }
    }
    return [...touches].map(([key, request]) => ({ key, request }));
  }

  #nameOf(value: Uint8Array): string {
    const bytes = Buffer.from(value).toString('latin1');
    const known = this.#values.get(bytes) ?? `v${this.#values.size + 1}`;
    this.#values.set(bytes, known);
    return known;
  }
}

/** 0 is the revision of a key that is missing. */
function expectedRevision({
  target,
  relation,
  number,
}: Compare): { readonly revision: number | null } | null {
  if (target !== 'modRevision' || relation !== 'equal') return null;
  return { revision: number === 0 ? null : number };
}
