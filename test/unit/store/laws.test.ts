import { expect } from 'chai';
import fc from 'fast-check';
import { asIndex, asRevision, fromUtf8, utf8 } from '../../../src/shared/index.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  supportedClusterVersion,
} from '../../../src/store/index.ts';
import type { AnyBatch } from './arbitraries.ts';
import { anyBatches } from './arbitraries.ts';
import { close, del, end, put, start, Store } from './harness.ts';

const payloadOf = ({ timeMs, envelopes }: AnyBatch): Uint8Array =>
  encodeBatch({ timeMs, envelopes: envelopes.map(encodeEnvelope) });

/** Of a later cluster version; such a command stops the node. */
const isLater = (payload: Uint8Array): boolean =>
  decodeBatch(payload).minVersion > supportedClusterVersion;

/** A state with a bit of everything; random commands find their way from here. */
function lively(limits = {}): Store {
  const store = new Store(limits);
  store.must(put('a', '1'));
  store.must(put('b', '2'));
  store.must(store.baseline('a', 'UP'));
  const event = store.must(store.recordEvent('a'));
  store.must(start(event, 1));
  store.must(store.baseline('b', 'DOWN'));
  return store;
}

/** What the drivers see is the same. */
function expectSameView(store: Store, other: Store): void {
  for (const record of store.machine.keys({})) {
    const key = fromUtf8(record.key);
    expect(other.machine.key(record.key)).to.deep.equal(record);
    expect(other.machine.health(key)).to.deep.equal(store.machine.health(key));
  }
  const all = { limit: 99 };
  expect(other.machine.events(all)).to.deep.equal(store.machine.events(all));
  expect(other.machine.openNotifications()).to.deep.equal(store.machine.openNotifications());
  expect(other.machine.settings).to.deep.equal(store.machine.settings);
}

/** Every key has its value row, and there are no other rows than the state stands for. */
function expectExactRows(store: Store): void {
  for (const record of store.machine.keys({})) {
    const bytes = store.rows.get(String.fromCharCode(...record.valueRow))?.value.length;
    expect(bytes).to.equal(record.valueBytes);
  }
  const values = [...store.rows.values()].filter(({ row }) => row[0] === 3);
  expect(values).to.have.lengthOf(store.machine.keyCount);
}

describe('StateMachine laws', () => {
  it('apply after a restore from rows is apply: state, results and writes', () => {
    fc.assert(
      fc.property(anyBatches, fc.nat({ max: 12 }), (batches, restoreAt) => {
        let restored = lively({ eventsMax: 3 });
        const straight = lively({ eventsMax: 3 });
        batches.forEach((batch, i) => {
          if (i === restoreAt) restored = restored.restored();
          const payload = payloadOf(batch);
          expect(restored.applyPayload(payload)).to.deep.equal(straight.applyPayload(payload));
        });
        expect(restored.machine.digest()).to.equal(straight.machine.digest());
        expect(straight.restored().machine.digest()).to.equal(straight.machine.digest());
        expect(straight.restored().machine.databaseBytes).to.equal(straight.machine.databaseBytes);
        expectSameView(straight, straight.restored());
        expectExactRows(straight);
      }),
      { seed: 4, numRuns: 400 },
    );
  });

  it('a restore gives back every field of health, events and runs', () => {
    const store = lively();
    store.must(store.recordEvent('a', { from: 'DOWN', to: 'EMPTY', tracked: false }));
    const id = store.machine.openNotifications()[0]?.id ?? asRevision(0);
    store.must(end(id, 1, { exitCode: null, signal: 'SIGKILL', timedOut: true, outcome: 'retry' }));
    store.must({ kind: 'putSettings', settings: { notifyOn: 'all' } });
    expectSameView(store, store.restored());
  });

  it('apply of envelopes in one batch or in many gives the same results', () => {
    fc.assert(
      fc.property(anyBatches, (batches) => {
        const envelopes = batches.flatMap((batch) => batch.envelopes);
        const together = lively();
        const alone = lively();
        const results = together.applyAll(envelopes);
        expect(envelopes.map((one) => alone.runEnvelope(one))).to.deep.equal(results);
        expect(alone.machine.digest()).to.equal(together.machine.digest());
        expect(alone.rows).to.deep.equal(together.rows);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('apply takes any bytes and stays restorable', () => {
    const store = lively();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        for (const payload of [bytes, encodeBatch({ timeMs: 1, envelopes: [bytes] })]) {
          if (!isLater(payload)) store.applyPayload(payload);
        }
      }),
      { seed: 6, numRuns: 2000 },
    );
    expect(store.restored().machine.digest()).to.equal(store.machine.digest());
  });

  it('apply takes commands with any byte changed, with equal states afterwards', () => {
    fc.assert(
      fc.property(anyBatches, fc.nat(), fc.nat({ max: 255 }), (batches, at, byte) => {
        const stores = [lively(), lively()] as const;
        for (const batch of batches) {
          const payload = payloadOf(batch);
          if (payload.length > 0) payload[at % payload.length] = byte;
          if (isLater(payload)) continue;
          expect(stores[0].applyPayload(payload)).to.deep.equal(stores[1].applyPayload(payload));
        }
        expect(stores[0].machine.digest()).to.equal(stores[1].machine.digest());
        expectExactRows(stores[0]);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('put and delete behave like a Map', () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'é', 'dd'),
      value: fc.option(fc.constantFrom('1', '2', '33')),
    });
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 12 }), (batches) => {
        const store = new Store();
        const model = new Map<string, string>();
        for (const batch of batches) {
          store.run(
            ...batch.map(({ key, value }) => (value === null ? del(key) : put(key, value))),
          );
          for (const { key, value } of batch) {
            if (value === null) model.delete(key);
            else model.set(key, value);
          }
        }
        const found = [...store.machine.keys({})].map(({ key }) => fromUtf8(key));
        expect(found).to.deep.equal([...model.keys()].sort());
        for (const key of found) expect(store.value(key)).to.equal(model.get(key));
        expect(store.machine.keyCount).to.equal(model.size);
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('digest tells states apart and ignores the applied index', () => {
    const digests = new Set<number>();
    const store = new Store();
    const note = (): void => void digests.add(store.machine.digest());
    note();
    store.must(put('a', '1'));
    note();
    store.must(put('a', '2'));
    note();
    store.must(store.baseline('a', 'UP'));
    note();
    const id = store.must(store.recordEvent('a'));
    note();
    store.must(start(id, 1));
    note();
    store.must(end(id, 1, { outcome: 'retry' }));
    note();
    store.must(close(id, 'failed'));
    note();
    store.must({ kind: 'putSettings', settings: {} });
    note();
    expect(digests.size).to.equal(9);
    const before = store.machine.digest();
    store.machine.advance(asIndex(store.machine.appliedIndex + 1));
    store.run(del('none'));
    expect(store.machine.digest()).to.equal(before);
    expect(store.machine.key(utf8('a'))).to.not.equal(undefined);
  });
});
