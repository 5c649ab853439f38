import { expect } from 'chai';
import fc from 'fast-check';
import { checkHistory, describeOperation } from '../../support/linearizability/index.ts';
import type { HistoryOperation, KeyRequest } from '../../support/linearizability/index.ts';

/** What a key holds; null: nothing. */
type Value = string | null;

/** What the key holds after `request`; nothing when it cannot have been answered so. */
function carryOut(held: Value, request: KeyRequest): readonly Value[] {
  switch (request.kind) {
    case 'put':
      return [request.value];
    case 'get':
      return held === request.value ? [held] : [];
    case 'delete':
      return (request.existed ?? held !== null) === (held !== null) ? [null] : [];
    case 'compareAndSet': {
      const { expected, value, swapped } = request;
      const holds = held === ('value' in expected ? expected.value : null);
      return (swapped ?? holds) === holds ? [holds ? value : held] : [];
    }
  }
}

/** Tries every order. What has no outcome may also come after all others: then nobody sees it. */
function hasOrder(rest: readonly HistoryOperation[], held: Value = null): boolean {
  if (rest.every(({ returnedAt }) => returnedAt === null)) return true;
  const firstReturn = Math.min(...rest.map(({ returnedAt }) => returnedAt ?? Infinity));
  return rest.some((next) => {
    if (next.invokedAt > firstReturn) return false;
    const others = rest.filter((other) => other !== next);
    return carryOut(held, next.request).some((after) => hasOrder(others, after));
  });
}

const written = fc.constantFrom('a', 'b');
const seen: fc.Arbitrary<Value> = fc.constantFrom('a', 'b', null);
const isSeen = fc.boolean();
const expected = fc.oneof(fc.record({ value: seen }), fc.constant({ revision: null }));

const put = fc.record({ kind: fc.constant('put' as const), value: written });
const get = fc.record({ kind: fc.constant('get' as const), value: seen });
const remove = fc.record({ kind: fc.constant('delete' as const) });
const removeSeen = fc.record({ kind: fc.constant('delete' as const), existed: isSeen });
const swap = fc.record({ kind: fc.constant('compareAndSet' as const), expected, value: written });
const swapSeen = fc
  .tuple(swap, isSeen)
  .map(([request, swapped]): KeyRequest => ({ ...request, swapped }));

const calledAt = fc.integer({ min: 0, max: 12 });
const answered = fc.record({
  request: fc.oneof(put, get, get, remove, removeSeen, swap, swapSeen),
  invokedAt: calledAt,
  lasts: fc.integer({ min: 0, max: 8 }),
});
const unknown = fc.record({
  request: fc.oneof(put, remove, swap),
  invokedAt: calledAt,
  lasts: fc.constant(Infinity),
});

/** Answers as they may be, and as they may not: nobody carried these requests out. */
const history = fc
  .array(fc.oneof(answered, answered, answered, unknown), {
    minLength: 2,
    maxLength: 7,
    size: 'max',
  })
  .map((all) =>
    all.map(({ request, invokedAt, lasts }, place): HistoryOperation => {
      const returnedAt = lasts === Infinity ? null : invokedAt + lasts;
      return { name: `r${place}`, key: 'k', invokedAt, returnedAt, request };
    }),
  );

const numRuns = 5_000;

describe('checkHistory and the search through every order', () => {
  it('checkHistory accepts exactly the short histories for which there is an order', () => {
    const counts = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(history, (operations) => {
        const { ok, isDecided } = checkHistory(operations);
        expect(isDecided).to.equal(true);
        expect(ok, operations.map(describeOperation).join('\n')).to.equal(hasOrder(operations));
        counts[ok ? 'accepted' : 'refused']++;
      }),
      { numRuns, seed: 1 },
    );
    expect(counts.accepted).to.be.above(numRuns / 4);
    expect(counts.refused).to.be.above(numRuns / 4);
  });
});
