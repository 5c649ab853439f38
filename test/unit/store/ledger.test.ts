import { expect } from 'chai';
import type { Revision } from '../../../src/shared/index.ts';
import { close, put, Store } from './harness.ts';

/** A store whose key `a` flips with every call of `flip`; untracked events have ended at once. */
function flipping(limits: object): { store: Store; flip: (tracked: boolean) => Revision } {
  const store = new Store(limits);
  store.must(put('a', '1'));
  store.must(store.baseline('a', 'UP'));
  const flip = (tracked: boolean): Revision => {
    const isUp = store.machine.health('a')?.baseline === 'UP';
    const way = isUp ? { from: 'UP', to: 'DOWN' } : { from: 'DOWN', to: 'UP' };
    return store.must(store.recordEvent('a', { ...(way as object), tracked }));
  };
  return { store, flip };
}

const ids = (store: Store): number[] => store.machine.events({ limit: 99 }).map((one) => one.id);

describe('StateMachine event ledger', () => {
  it('events() gives the newest first, by key and with a limit', () => {
    const { store, flip } = flipping({});
    const all = [flip(false), flip(false), flip(false)];
    store.must(put('b', '1'));
    store.must(store.baseline('b', 'UP'));
    const other = store.must(store.recordEvent('b'));
    expect(ids(store)).to.deep.equal([other, ...all.reverse()]);
    expect(store.machine.events({ key: 'a', limit: 2 }).map((one) => one.id)).to.deep.equal(
      all.slice(0, 2),
    );
    expect(store.machine.events({ key: 'none', limit: 2 })).to.deep.equal([]);
    expect(store.machine.events({ limit: 0 })).to.deep.equal([]);
  });

  it('apply keeps the newest events and drops the rows of the oldest ended ones', () => {
    const { store, flip } = flipping({ eventsMax: 3 });
    const all = [1, 2, 3, 4, 5].map(() => flip(false));
    expect(ids(store)).to.deep.equal(all.slice(2).reverse());
    expect([...store.rows.values()].filter(({ row }) => row[0] === 5)).to.have.lengthOf(3);
    expect(store.restored().machine.digest()).to.equal(store.machine.digest());
  });

  it('apply drops ended events around an open one', () => {
    const { store, flip } = flipping({ eventsMax: 2 });
    const open = store.must(store.recordEvent('a', { to: 'EMPTY' }));
    flip(false);
    const last = flip(false);
    expect(ids(store)).to.deep.equal([last, open]);
  });

  it('recordEvent is refused while open notifications fill the ledger', () => {
    const { store, flip } = flipping({ eventsMax: 2 });
    const first = flip(true);
    store.must(store.recordEvent('a', { from: 'DOWN', to: 'EMPTY' }));
    store.must(put('b', '1'));
    store.must(store.baseline('b', 'UP'));
    const digest = store.machine.digest();
    const next = store.recordEvent('b', { tracked: false });
    expect(store.run(next)).to.include({ ok: false, code: 'STORE_FULL' });
    expect(store.machine.digest()).to.equal(digest);
    store.must(close(first, 'superseded'));
    store.must(next);
    expect(store.machine.events({ limit: 9 })).to.have.lengthOf(2);
  });

  it('recordEvent keeps the ledger below its bytes', () => {
    const { store, flip } = flipping({ ledgerBytesMax: 2000 });
    for (let i = 0; i < 30; i++) flip(false);
    const bytes = [...store.rows.values()]
      .filter(({ row }) => row[0] === 5)
      .reduce((sum, { value }) => sum + value.length, 0);
    expect(bytes).to.be.within(1500, 2000);
    const huge = store.recordEvent('a', { reason: 'r'.repeat(1024), value: new Uint8Array(2000) });
    expect(store.run(huge)).to.include({ ok: false, code: 'STORE_FULL' });
  });
});
