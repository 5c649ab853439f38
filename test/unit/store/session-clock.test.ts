import { expect } from 'chai';
import { put, Store } from './harness.ts';
import { ask, codeOf, expiredRowsOf, hourMs, minuteMs, pass } from './session-requests.ts';

describe('Client sessions that are idle', () => {
  it('a session that was idle for more than an hour has expired, its request 1 too', () => {
    const store = new Store();
    ask(store, 'me', 1);
    pass(store, hourMs);
    expect(ask(store, 'me', 1).ok, 'at the hour').to.equal(true);
    const { revision } = store.machine;
    store.timeMs += 1;
    for (const sequence of [1, 2, 3]) {
      expect(codeOf(ask(store, 'me', sequence))).to.equal('SESSION_EXPIRED');
    }
    expect(codeOf(ask(store.restored(), 'me', 1))).to.equal('SESSION_EXPIRED');
    expect(store.machine.revision).to.equal(revision);
  });

  it('time that stands in no entry ends no session', () => {
    const store = new Store();
    ask(store, 'me', 1);
    pass(store, hourMs);
    store.timeMs += 1;
    const late = store.restored();
    late.timeMs -= 1;
    expect(ask(late, 'me', 2).ok).to.equal(true);
  });
});

describe('Client sessions, when a leader has its clock wrong', () => {
  it('a request and its repetition are answered across a jump of two hours', () => {
    const store = new Store();
    const first = ask(store, 'me', 1);
    store.timeMs += 2 * hourMs;
    expect(ask(store, 'me', 1)).to.deep.equal(first);
    expect(codeOf(ask(store, 'me', 2))).to.equal('ok');
  });

  it('a jump takes a minute off the hour, however far it goes', () => {
    const store = new Store();
    for (const id of ['a', 'b']) ask(store, id, 1);
    store.timeMs += 1000 * hourMs;
    store.must(put('ahead', '1'));
    pass(store, hourMs - minuteMs);
    expect(codeOf(ask(store, 'a', 2)), 'an hour').to.equal('ok');
    store.timeMs += 1;
    expect(codeOf(ask(store, 'b', 2)), 'more').to.equal('SESSION_EXPIRED');
  });

  it('the batches after a jump do not make up for what it did not count', () => {
    const store = new Store();
    ask(store, 'me', 1);
    store.timeMs += 2 * hourMs;
    for (let batch = 0; batch < 200; batch++) store.must(put('passing', `${batch}`));
    expect(codeOf(ask(store, 'me', 2))).to.equal('ok');
  });

  it('no session ends while the clocks that follow are behind', () => {
    const store = new Store();
    ask(store, 'me', 1);
    store.timeMs += 5 * hourMs;
    store.must(put('ahead', '1'));
    store.timeMs -= 5 * hourMs;
    pass(store, 4 * hourMs);
    expect(codeOf(ask(store, 'me', 2))).to.equal('ok');
  });

  it('idle sessions end where batches are rare, only later', () => {
    const store = new Store();
    ask(store, 'me', 1);
    let hours = 0;
    for (; expiredRowsOf(store) === 0 && hours < 100; hours++) {
      store.timeMs += hourMs;
      store.must(put('passing', `${hours}`));
    }
    expect(hours).to.equal(61);
  });

  it('a machine loaded from rows after the jump goes on as the one that lived through it', () => {
    const store = new Store();
    ask(store, 'me', 1);
    store.timeMs += 2 * hourMs;
    store.must(put('ahead', '1'));
    const restored = store.restored();
    for (let minute = 0; minute < 60; minute++) {
      for (const one of [store, restored]) pass(one, minuteMs);
      expect(restored.machine.digest(), `minute ${minute}`).to.equal(store.machine.digest());
      expect(expiredRowsOf(store), `minute ${minute}`).to.equal(minute < 59 ? 0 : 1);
    }
    expect(ask(restored, 'me', 2)).to.deep.equal(ask(store, 'me', 2));
    expect(codeOf(ask(restored, 'me', 2))).to.equal('SESSION_EXPIRED');
  });
});
