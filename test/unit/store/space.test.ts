import { expect } from 'chai';
import { del, end, envelope, put, start, Store } from './harness.ts';

const message = 'Cannot put the key while disk space runs out: too little is left on node2';

describe('A state without space', () => {
  function full(): Store {
    const store = new Store({ keysMax: 2 });
    store.must(put('a', '1'), put('b', '2'));
    store.must(store.baseline('a', 'UP'));
    store.must({ kind: 'setNoSpace', nodes: 'node2' });
    return store;
  }

  it('put is refused, of a new key, of other bytes and of the same', () => {
    for (const store of [full(), full().restored()]) {
      for (const one of [put('c', '3'), put('a', '11'), put('a', '1')]) {
        expect(store.run(one)).to.deep.equal({ ok: false, code: 'STORE_FULL', message });
      }
      expect(store.run(del('b'), put('c', '3'))).to.include({ ok: false });
      expect(store.value('b')).to.equal('2');
    }
  });

  it('delete, health, notifications and settings pass', () => {
    const store = full();
    const id = store.must(store.recordEvent('a'));
    store.must(start(id, 1));
    store.must(end(id, 1));
    store.must({ kind: 'putSettings', settings: { notifyRetries: 3 } });
    store.must(del('b'));
    expect(store.state(id)).to.equal('done');
  });

  it('puts are taken again once it is over, and a refusal within a session stays one', () => {
    const store = full();
    const request = envelope({ session: 'me', sequence: 1, then: [put('c', '3')] });
    expect(store.runEnvelope(request)).to.include({ code: 'STORE_FULL' });
    expect(store.machine.hasAnswered('me', 1)).to.equal(true);
    expect(store.machine.hasAnswered('me', 2)).to.equal(false);
    const digest = store.machine.digest();
    store.must({ kind: 'setNoSpace', nodes: '' }, del('b'));
    expect(store.machine.digest()).to.not.equal(digest);
    expect(store.machine.noSpace).to.equal('');
    expect(store.runEnvelope(request)).to.include({ code: 'STORE_FULL' });
    expect(store.runEnvelope({ ...request, sequence: 2 })).to.include({ ok: true });
    expect(store.restored().machine.noSpace).to.equal('');
  });

  it('setNoSpace changes nothing when it says what is so already, or is undone', () => {
    const store = full();
    expect(store.run({ kind: 'setNoSpace', nodes: 'node2' })).to.include({ changed: false });
    const undone = store.run({ kind: 'setNoSpace', nodes: '' }, put('c', 'one key too many'));
    expect(undone).to.include({ ok: false });
    expect(store.machine.noSpace).to.equal('node2');
  });
});
