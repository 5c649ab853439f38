import { expect } from 'chai';
import { checkHistory } from '../../support/linearizability/index.ts';
import type { HistoryOperation, KeyRequest } from '../../support/linearizability/index.ts';

let count = 0;

/** From..to, or from..? for an unknown outcome. */
function at(from: number, to: number | null, request: KeyRequest, key = 'k'): HistoryOperation {
  return { name: `r${++count}`, key, invokedAt: from, returnedAt: to, request };
}

const put = (value: string, revision?: number): KeyRequest =>
  revision === undefined ? { kind: 'put', value } : { kind: 'put', value, revision };
const get = (value: string | null, revision?: number): KeyRequest =>
  revision === undefined ? { kind: 'get', value } : { kind: 'get', value, revision };
const remove = (existed?: boolean): KeyRequest =>
  existed === undefined ? { kind: 'delete' } : { kind: 'delete', existed };
const swap = (expected: string | null, value: string, swapped?: boolean): KeyRequest => {
  const request = { kind: 'compareAndSet', expected: { value: expected }, value } as const;
  return swapped === undefined ? request : { ...request, swapped };
};
const swapAt = (revision: number | null, value: string, swapped: boolean): KeyRequest => ({
  kind: 'compareAndSet',
  expected: { revision },
  value,
  swapped,
});

const good: Readonly<Record<string, readonly HistoryOperation[]>> = {
  'no request at all': [],
  'one after the other': [
    at(1, 2, put('a')),
    at(3, 4, get('a')),
    at(5, 6, remove(true)),
    at(7, 8, get(null)),
  ],
  'a read meanwhile that sees the old value': [
    at(1, 2, put('a')),
    at(3, 9, put('b')),
    at(4, 5, get('a')),
  ],
  'a read meanwhile that sees the new value': [
    at(1, 2, put('a')),
    at(3, 9, put('b')),
    at(4, 5, get('b')),
  ],
  'two writes at once, read in the order of neither call': [
    at(1, 10, put('a')),
    at(2, 9, put('b')),
    at(11, 12, get('a')),
  ],
  'an unknown write that shows late': [
    at(1, 2, put('a')),
    at(3, null, put('b')),
    at(4, 5, get('a')),
    at(6, 7, get('a')),
    at(8, 9, get('b')),
  ],
  'an unknown write that never shows': [
    at(1, 2, put('a')),
    at(3, null, put('b')),
    at(4, 5, get('a')),
  ],
  'an unknown write that shows after another write': [
    at(1, null, put('a')),
    at(2, 3, put('b')),
    at(4, 5, get('b')),
    at(6, 7, get('a')),
  ],
  'an unknown delete': [at(1, 2, put('a')), at(3, null, remove()), at(4, 5, get(null))],
  'an unknown swap on top of an unknown write': [
    at(1, null, put('a')),
    at(2, null, swap('a', 'b')),
    at(3, 4, get('b')),
  ],
  'a failed swap because of an unknown write': [
    at(1, 2, put('a')),
    at(3, null, put('b')),
    at(4, 5, swap('a', 'c', false)),
    at(6, 7, get('b')),
  ],
  'a swap that nobody looked at and that won as soon as it could': [
    at(1, 9, swap('a', 'b')),
    at(2, 3, put('a')),
    at(4, 5, get('b')),
  ],
  'swaps at once, of which one wins': [
    at(1, 9, swap(null, 'a', true)),
    at(2, 8, swap(null, 'b', false)),
    at(10, 11, get('a')),
  ],
  'a write whose revision only a read tells': [
    at(1, null, put('a')),
    at(2, 3, get('a', 7)),
    at(4, 5, swapAt(7, 'b', true)),
    at(6, 7, get('b')),
  ],
  'keys that have nothing to do with each other': [
    at(1, 2, put('a'), 'k'),
    at(3, 4, get(null), 'other'),
    at(5, 6, put('b'), 'other'),
    at(7, 8, get('a'), 'k'),
  ],
  'a call at the very time of a return': [at(1, 3, put('a')), at(3, 4, get(null))],
};

const bad: Readonly<Record<string, readonly HistoryOperation[]>> = {
  'a stale read': [at(1, 2, put('a')), at(3, 4, put('b')), at(5, 6, get('a'))],
  'a lost update': [
    at(1, 2, put('a')),
    at(3, 8, swap('a', 'b', true)),
    at(4, 9, swap('a', 'c', true)),
  ],
  'a lost write': [at(1, 2, put('a')), at(3, 4, get(null))],
  'a dirty read: of a write that was never asked for': [at(1, 2, put('a')), at(3, 4, get('b'))],
  'a read of what is written only later': [at(1, 2, get('a')), at(3, 4, put('a'))],
  'a read of an unknown write before it was asked for': [at(1, 2, get('a')), at(3, null, put('a'))],
  'reads that go backwards while a write is under way': [
    at(1, 2, put('a')),
    at(3, 20, put('b')),
    at(4, 5, get('b')),
    at(6, 7, get('a')),
  ],
  'reads that go backwards after an unknown write': [
    at(1, 2, put('a')),
    at(3, null, put('b')),
    at(4, 5, get('b')),
    at(6, 7, get('a')),
  ],
  'an unknown write that takes effect twice': [
    at(1, null, put('a')),
    at(2, 3, get('a')),
    at(4, 5, put('b')),
    at(6, 7, get('b')),
    at(8, 9, get('a')),
  ],
  'a swap that wins against what it did not expect': [
    at(1, 2, put('a')),
    at(3, 4, swap('b', 'c', true)),
  ],
  'a swap that loses for no reason': [at(1, 2, put('a')), at(3, 4, swap('a', 'b', false))],
  'a swap that won and left nothing': [
    at(1, 2, put('a')),
    at(3, 4, swap('a', 'b', true)),
    at(5, 6, get('a')),
  ],
  'two swaps of an absent key that both win': [
    at(1, 9, swap(null, 'a', true)),
    at(2, 8, swap(null, 'b', true)),
  ],
  'a swap at a revision that is not there': [at(1, 2, put('a', 5)), at(3, 4, swapAt(4, 'b', true))],
  'a read of another revision': [at(1, 2, put('a', 5)), at(3, 4, get('a', 6))],
  'a revision that goes back': [at(1, 2, put('a', 5)), at(3, 4, put('b', 5))],
  'a deleted key that comes back': [at(1, 2, put('a')), at(3, 4, remove()), at(5, 6, get('a'))],
  'a delete that found nothing': [at(1, 2, put('a')), at(3, 4, remove(false))],
  'two reads that see two writes in different orders': [
    at(1, 20, put('a')),
    at(2, 21, put('b')),
    at(3, 4, get('a')),
    at(5, 6, get('b')),
    at(7, 8, get('a')),
  ],
};

describe('checkHistory', () => {
  for (const [name, operations] of Object.entries(good)) {
    it(`checkHistory accepts ${name}`, () => {
      const verdict = checkHistory(operations);
      expect(verdict.reason).to.equal(null);
      expect(verdict.ok).to.equal(true);
      expect(verdict.operationCount).to.equal(operations.length);
    });
  }

  for (const [name, operations] of Object.entries(bad)) {
    it(`checkHistory refuses ${name}`, () => {
      const verdict = checkHistory(operations);
      expect(verdict.ok).to.equal(false);
      expect(verdict.isDecided).to.equal(true);
      expect(verdict.key).to.equal('k');
      expect(verdict.reason).to.include('fits no order');
    });
  }

  it('checkHistory says which answer fits no order, what the key held and what went on meanwhile', () => {
    const { reason } = checkHistory([
      { name: 'first', key: 'k', invokedAt: 1, returnedAt: 2, request: put('a', 3) },
      { name: 'slow', key: 'k', invokedAt: 3, returnedAt: 9, request: put('c') },
      { name: 'odd', key: 'k', invokedAt: 4, returnedAt: 5, request: get('b') },
    ]);
    expect(reason).to.equal(
      'odd [4..5] get b of k fits no order: before, the key held a at 3; ' +
        'meanwhile: slow [3..9] put c of k',
    );
  });

  it('checkHistory takes no longer for many requests of unknown outcome', () => {
    const operations: HistoryOperation[] = [];
    for (let i = 0; i < 2_000; i++) {
      operations.push(at(10 * i, null, put(`unknown ${i}`)));
      operations.push(at(10 * i + 1, 10 * i + 2, put(`known ${i}`)));
      operations.push(
        at(10 * i + 3, 10 * i + 4, get(i % 10 === 0 ? `unknown ${i}` : `known ${i}`)),
      );
    }
    const verdict = checkHistory(operations);
    expect(verdict.ok).to.equal(true);
    expect(verdict.exploredCount).to.be.below(20_000);
  });

  it('checkHistory says so when there are too many possible orders', () => {
    const operations = Array.from({ length: 24 }, (_, i) => at(1, 100, put(`${i}`)));
    const verdict = checkHistory([...operations, at(2, 90, get('none'))]);
    expect(verdict.ok).to.equal(false);
    expect(verdict.isDecided).to.equal(false);
    expect(verdict.reason).to.include('too many possible orders');
  });
});
