import { expect } from 'chai';
import fc from 'fast-check';
import type { Envelope } from '../../../src/store/index.ts';
import { anyEnvelope } from './arbitraries.ts';
import { put, Store } from './harness.ts';

/** So small that everything is dropped, expired and forgotten at times. */
const limits = {
  eventsMax: 3,
  sessionsMax: 2,
  expiredSessionsMax: 2,
  sessionWindow: 2,
  sessionIdleMs: 5_000,
  sessionStepMs: 3_000,
};

/** Of a few clients that begin and go on, or of none. */
const use = fc.oneof(
  fc.constant({}),
  fc.record({ session: fc.constantFrom('x', 'y', 'z'), sequence: fc.integer({ min: 1, max: 5 }) }),
);

const command: fc.Arbitrary<Envelope> = fc
  .tuple(anyEnvelope, use)
  .map(([envelope, session]) => ({ ...envelope, minVersion: 1, sequence: 0, ...session }));

const batches = fc.array(
  fc.record({
    waitedMs: fc.constantFrom(0, 1_000, 6_000),
    envelopes: fc.array(command, { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('StateMachine digest', () => {
  it('digest of loaded rows is the one of the state that wrote them, after every batch', () => {
    let expired = 0;
    fc.assert(
      fc.property(batches, (commands) => {
        const store = new Store(limits);
        store.must(put('a', '1'));
        store.must(put('b', '1'));
        store.must(store.baseline('a', 'UP'));
        store.must(store.recordEvent('a'));
        for (const { waitedMs, envelopes } of commands) {
          store.timeMs += waitedMs;
          store.applyAll(envelopes);
          expect(store.restored().machine.digest()).to.equal(store.machine.digest());
        }
        expired += [...store.rows.values()].filter(({ row }) => row[0] === 8).length;
      }),
      { seed: 11, numRuns: 150 },
    );
    expect(expired, 'sessions that expired').to.be.above(30);
  });

  it('digest of rows that lack any one of them but a value is another one', () => {
    const store = new Store();
    store.must(put('a', '1'));
    store.must(put('b', '2'));
    store.must(store.baseline('a', 'UP'));
    store.must(store.recordEvent('a'));
    store.must({ kind: 'putSettings', settings: { notifyRetries: 3 } });
    store.must({ kind: 'setNoSpace', nodes: 'node1' });
    const whole = store.machine.digest();
    const tables = new Set<number | undefined>();
    for (const [name, kept] of [...store.rows]) {
      // Health without its key does not even load.
      const isLoadedAlone = kept.row[0] !== 3 && !(kept.row[0] === 2 && kept.row.at(-1) === 0x61);
      if (!isLoadedAlone) continue;
      store.rows.delete(name);
      expect(store.restored().machine.digest(), name).to.not.equal(whole);
      store.rows.set(name, kept);
      tables.add(kept.row[0]);
    }
    expect([...tables].sort()).to.deep.equal([1, 2, 4, 5, 6, 9]);
  });
});
