import { expect } from 'chai';
import fc from 'fast-check';
import { checkHistory } from '../../support/linearizability/index.ts';
import type { HistoryOperation, KeyRequest } from '../../support/linearizability/index.ts';

/** One request as drawn: when it is called, when it happens, when it returns. */
interface Drawn {
  readonly client: number;
  readonly key: number;
  readonly kind: 'put' | 'delete' | 'get' | 'swap' | 'swapAt';
  readonly expected: number;
  readonly thinkFor: number;
  readonly waits: number;
  readonly answers: number;
  readonly fate: 'answered' | 'unknown' | 'lost';
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  client: fc.integer({ min: 0, max: 4 }),
  key: fc.integer({ min: 0, max: 1 }),
  kind: fc.constantFrom('put', 'put', 'delete', 'get', 'get', 'swap', 'swapAt'),
  expected: fc.integer({ min: 0, max: 3 }),
  thinkFor: fc.integer({ min: 1, max: 10 }),
  waits: fc.integer({ min: 1, max: 30 }),
  answers: fc.integer({ min: 1, max: 30 }),
  fate: fc.constantFrom('answered', 'answered', 'answered', 'answered', 'unknown', 'lost'),
});

interface Planned extends Drawn {
  readonly place: number;
  readonly calledAt: number;
  readonly happensAt: number;
  readonly returnsAt: number;
}

/** A client asks one thing after the other; after an unknown outcome it goes on at once. */
function plan(requests: readonly Drawn[]): readonly Planned[] {
  const free = new Map<number, number>();
  return requests.map((request, place) => {
    const calledAt = (free.get(request.client) ?? 0) + request.thinkFor;
    const happensAt = calledAt + request.waits;
    const returnsAt = happensAt + request.answers;
    free.set(request.client, request.fate === 'answered' ? returnsAt : calledAt + 1);
    return { ...request, place, calledAt, happensAt, returnsAt };
  });
}

interface Held {
  readonly value: string;
  readonly revision: number;
}

/** An atomic register per key: what is answered is what was so when the request happened. */
class Registers {
  readonly #keys = new Map<number, Held>();
  #revision = 0;

  carryOut(planned: Planned): KeyRequest {
    const { key, kind, place } = planned;
    const held = this.#keys.get(key);
    const value = held?.value ?? null;
    switch (kind) {
      case 'get':
        return held === undefined ? { kind, value } : { kind, value, revision: held.revision };
      case 'delete':
        this.#keys.delete(key);
        return { kind, existed: held !== undefined };
      case 'put':
        return { kind, value: `v${place}`, revision: this.#put(key, `v${place}`) };
      case 'swap':
      case 'swapAt':
        return this.#swapOf(planned, held ?? null);
    }
  }

  /** Some expect what is there, some that there is nothing, some what never was. */
  #swapOf({ key, kind, expected, place }: Planned, held: Held | null): KeyRequest {
    if (kind === 'swap') {
      const value = held?.value ?? null;
      const chosen = [null, 'never', value, value][expected] ?? null;
      return this.#swap(key, { value: chosen }, chosen === value, place);
    }
    const revision = held?.revision ?? null;
    const chosen = [null, 0, revision, revision][expected] ?? null;
    return this.#swap(key, { revision: chosen }, chosen === revision, place);
  }

  #swap(
    key: number,
    expected: { value: string | null } | { revision: number | null },
    swapped: boolean,
    place: number,
  ): KeyRequest {
    const request = { kind: 'compareAndSet', expected, value: `v${place}`, swapped } as const;
    return swapped ? { ...request, revision: this.#put(key, `v${place}`) } : request;
  }

  #put(key: number, value: string): number {
    this.#keys.set(key, { value, revision: ++this.#revision });
    return this.#revision;
  }
}

/** What of a request its client knows when it never got an answer. */
function unanswered(request: KeyRequest): KeyRequest | null {
  switch (request.kind) {
    case 'get':
      return null;
    case 'put':
      return { kind: 'put', value: request.value };
    case 'delete':
      return { kind: 'delete' };
    case 'compareAndSet':
      return { kind: 'compareAndSet', expected: request.expected, value: request.value };
  }
}

/** The history that the clients of real atomic registers see. */
function historyOf(requests: readonly Drawn[]): readonly HistoryOperation[] {
  const registers = new Registers();
  const planned = [...plan(requests)].sort((a, b) => a.happensAt - b.happensAt);
  return planned.flatMap((one) => {
    const { client, key, place, calledAt, returnsAt, fate } = one;
    const request = fate === 'lost' ? lost(one) : registers.carryOut(one);
    const known = fate === 'answered' ? request : request && unanswered(request);
    if (known === null) return [];
    const returnedAt = fate === 'answered' ? returnsAt : null;
    const name = `c${client}-${place}`;
    return [{ name, key: `k${key}`, invokedAt: calledAt, returnedAt, request: known }];
  });
}

/** It was asked for, but never came through. */
function lost({ kind, place }: Planned): KeyRequest | null {
  return kind === 'put' || kind === 'swap' ? { kind: 'put', value: `v${place}` } : null;
}

const numRuns = 300;
const requests = fc.array(drawn, { minLength: 1, maxLength: 60 });

describe('checkHistory with histories of atomic registers', () => {
  it('checkHistory accepts every history that real registers give', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const verdict = checkHistory(historyOf(all));
        expect(verdict.reason).to.equal(null);
      }),
      { numRuns, seed: 1 },
    );
  });

  it('checkHistory refuses a history in which one read is answered with what was not there', () => {
    let tried = 0;
    fc.assert(
      fc.property(requests, fc.nat(), (all, pick) => {
        const history = historyOf(all);
        const reads = history.filter(({ request }) => request.kind === 'get');
        const chosen = reads[pick % Math.max(1, reads.length)];
        if (chosen === undefined) return;
        tried++;
        const wrong = { ...chosen, request: { kind: 'get', value: 'never written' } as const };
        const { ok, isDecided } = checkHistory(
          history.map((one) => (one === chosen ? wrong : one)),
        );
        expect(ok).to.equal(false);
        expect(isDecided).to.equal(true);
      }),
      { numRuns, seed: 2 },
    );
    expect(tried).to.be.above(numRuns / 2);
  });

  it('checkHistory refuses every history in which two reads, one after the other, swap their answers', () => {
    let [tried, refused] = [0, 0];
    fc.assert(
      fc.property(fc.array(drawn, { minLength: 60, maxLength: 80 }), (all) => {
        const history = historyOf(all);
        const pair = readsFarApart(history);
        if (pair === null) return;
        tried++;
        const [first, second] = pair;
        const swapped = history.map((one) =>
          one === first
            ? { ...one, request: second.request }
            : one === second
              ? { ...one, request: first.request }
              : one,
        );
        if (!checkHistory(swapped).ok) refused++;
      }),
      { numRuns, seed: 3 },
    );
    expect(tried).to.be.above(numRuns / 10);
    expect(refused).to.equal(tried);
  });
});

/** Two reads of one key, one after the other, that saw writes with different known revisions. */
function readsFarApart(
  history: readonly HistoryOperation[],
): readonly [HistoryOperation, HistoryOperation] | null {
  const revisionOf = ({ request }: HistoryOperation): number =>
    request.kind === 'get' ? (request.revision ?? 0) : 0;
  const reads = history.filter((one) => revisionOf(one) > 0);
  for (const first of reads) {
    const second = reads.find(
      (one) =>
        one.key === first.key &&
        one.invokedAt > (first.returnedAt ?? Infinity) &&
        revisionOf(one) > revisionOf(first),
    );
    if (second !== undefined) return [first, second];
  }
  return null;
}
