import { expect } from 'chai';
import { utf8 } from '../../../src/shared/index.ts';
import { storeLimits } from '../../../src/store/index.ts';
import { del, put, Store } from './harness.ts';

const full = { ok: false, code: 'STORE_FULL' };
const large = { ok: false, code: 'TOO_LARGE' };

describe('StateMachine limits', () => {
  it('storeLimits are the documented ones', () => {
    expect(storeLimits).to.include({
      keyBytesMax: 1024,
      valueBytesMax: 512 * 1024,
      keysMax: 1_000_000,
      databaseBytesMax: 2 * 1024 ** 3,
      eventsMax: 10_000,
    });
    expect(storeLimits.ledgerBytesMax).to.be.below(storeLimits.reserveBytes);
  });

  it('apply of a put counts bytes, not characters, and takes exactly the limit', () => {
    const store = new Store();
    store.must(put('k'.repeat(1024), 'v'.repeat(512 * 1024)));
    expect(store.run(put('k'.repeat(1025), 'v'))).to.include(large);
    expect(store.run(put('ä'.repeat(513), 'v'))).to.include(large);
    expect(store.run(put('k', 'v'.repeat(512 * 1024 + 1)))).to.include(large);
  });

  it('apply of a put refuses one key too many, not another value', () => {
    const store = new Store({ keysMax: 2 });
    store.must(put('a', '1'), put('b', '1'));
    expect(store.run(put('c', '1'))).to.include(full);
    store.must(put('a', '2'));
    store.must(del('a'));
    store.must(put('c', '1'));
  });

  it('apply of a put in a full store may not grow; the rest passes', () => {
    const store = new Store({ databaseBytesMax: 20_000, reserveBytes: 10_000 });
    store.must(put('a', '1'));
    store.must(put('b', 'x'.repeat(9000)));
    expect(store.run(put('c', 'x'.repeat(700)))).to.include(full);
    expect(store.run(put('a', 'x'.repeat(700)))).to.include(full);
    store.must(store.baseline('a', 'UP'));
    store.must(store.recordEvent('a'));
    store.must({ kind: 'putSettings', settings: { notifyRetries: 1 } });
    store.must(put('b', 'x'.repeat(8999)));
    store.must(del('b'));
    store.must(put('c', 'x'.repeat(700)));
  });

  it('apply of a put that shrinks passes above the limit', () => {
    const store = new Store();
    store.must(put('a', 'x'.repeat(5000)));
    const tight = store.restored({ databaseBytesMax: 4000, reserveBytes: 1000 });
    tight.must(put('a', 'x'.repeat(4900)));
    tight.must(put('a', 'y'.repeat(4900)));
    expect(tight.run(put('a', 'x'.repeat(4901)))).to.include(full);
  });

  it('databaseBytes is the same whatever the way to a state', () => {
    const store = new Store();
    store.must(put('a', '1'));
    const bytes = store.machine.databaseBytes;
    store.must(put('a', '22'), put('b', '3'));
    store.must(put('a', '4'), del('b'));
    expect(store.machine.databaseBytes).to.equal(bytes);
    expect(bytes).to.be.at.least([...store.rows.values()].reduce(sizeOf, 0) - 16);
    expect(store.restored().machine.databaseBytes).to.equal(bytes);
  });

  it('apply of a recordEvent refuses a value above the limit', () => {
    const store = new Store({ valueBytesMax: 10 });
    store.must(put('a', '1'));
    store.must(store.baseline('a', 'UP'));
    expect(store.run(store.recordEvent('a', { value: utf8('x'.repeat(11)) }))).to.include(large);
  });
});

const sizeOf = (sum: number, one: { row: Uint8Array; value: Uint8Array }): number =>
  sum + one.row.length + one.value.length;
