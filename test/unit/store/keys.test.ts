import { expect } from 'chai';
import { asIndex, crc32c, fromUtf8, InvariantError, utf8 } from '../../../src/shared/index.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  StateMachine,
} from '../../../src/store/index.ts';
import { del, envelope, put, Store } from './harness.ts';

const keysOf = (store: Store, query: Parameters<StateMachine['keys']>[0] = {}): string[] =>
  [...store.machine.keys(query)].map((record) => fromUtf8(record.key));

describe('StateMachine keys', () => {
  it('apply of a put creates the key with the next revision', () => {
    const store = new Store();
    expect(store.run(put('a', '1'))).to.deep.equal({
      ok: true,
      revision: 1,
      changed: true,
      branch: 'then',
    });
    expect(store.machine.key(utf8('a'))).to.deep.include({
      key: utf8('a'),
      createRevision: 1,
      modRevision: 1,
      version: 1,
      valueRevision: 1,
      valueBytes: 1,
    });
    expect(store.value('a')).to.equal('1');
  });

  it('apply of a put with other bytes moves valueRevision and drops the old row', () => {
    const store = new Store();
    store.must(put('a', '1'));
    store.must(put('a', '2'));
    const record = store.machine.key(utf8('a'));
    expect(record).to.include({ createRevision: 1, modRevision: 2, version: 2, valueRevision: 2 });
    expect(store.value('a')).to.equal('2');
    expect([...store.rows.values()].filter(({ row }) => row[0] === 3)).to.have.lengthOf(1);
  });

  it('apply of a put with the same bytes counts a version and keeps valueRevision', () => {
    const store = new Store();
    store.must(put('a', '1'));
    store.must(put('a', '1'));
    const record = store.machine.key(utf8('a'));
    expect(record).to.include({ createRevision: 1, modRevision: 2, version: 2, valueRevision: 1 });
    expect(store.value('a')).to.equal('1');
  });

  it('apply tells values of equal size and checksum apart by their bytes', () => {
    // Two values with the same CRC-32C: xor with the polynomial of degree 32, bit by bit.
    const first = new Uint8Array(8);
    const second = Uint8Array.from([...collision(), 0, 0, 0]);
    expect(crc32c(first)).to.equal(crc32c(second));
    const store = new Store();
    store.must({ kind: 'put', key: utf8('a'), value: first });
    store.must({ kind: 'put', key: utf8('a'), value: second });
    expect(store.machine.key(utf8('a'))).to.include({ version: 2, valueRevision: 2 });
  });

  it('apply compares with a value that an earlier command of the batch wrote', () => {
    const store = new Store();
    store.must(put('a', '1'));
    const puts = ['2', '2', '1', '1'].map((value) => envelope({ then: [put('a', value)] }));
    store.applyAll(puts);
    const record = store.machine.key(utf8('a'));
    expect(record).to.include({ version: 5, modRevision: 5, valueRevision: 4 });
  });

  it('apply of a delete removes key, value and health rows; of nothing, changes nothing', () => {
    const store = new Store();
    store.must(put('a', '1'));
    store.must(store.baseline('a', 'UP'));
    store.must(del('a'));
    expect(store.machine.key(utf8('a'))).to.equal(undefined);
    expect(store.machine.health('a')).to.equal(undefined);
    expect([...store.rows.values()].map(({ row }) => row[0])).to.deep.equal([1]);
    expect(store.run(del('a'))).to.deep.include({ ok: true, changed: false, revision: 3 });
    expect(store.machine.keyCount).to.equal(0);
    expect(store.machine.databaseBytes).to.equal(0);
  });

  it('apply of a put after a delete makes another key of the same name', () => {
    const store = new Store();
    store.must(put('a', '1'));
    store.must(del('a'));
    store.must(put('a', '1'));
    const record = store.machine.key(utf8('a'));
    expect(record).to.include({ createRevision: 3, version: 1, valueRevision: 3 });
  });

  it('apply takes any bytes as key and value, and refuses the empty key', () => {
    const store = new Store();
    const key = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    store.must({ kind: 'put', key, value: new Uint8Array(0) });
    expect(store.machine.key(key)).to.deep.include({ key, valueBytes: 0 });
    expect(store.run(put('', 'x'))).to.include({ ok: false, code: 'PARAM_INVALID' });
    expect(store.run(del(''))).to.include({ ok: false, code: 'PARAM_INVALID' });
  });

  it('keys() gives the order of bytes, not that of UTF-16', () => {
    const store = new Store();
    const names = ['\u{1f600}', '\uffee', 'z', 'é', 'a', 'ab', 'a\u0000'];
    store.must(...names.map((name) => put(name, 'x')));
    expect(keysOf(store)).to.deep.equal(['a', 'a\u0000', 'ab', 'z', 'é', '\uffee', '\u{1f600}']);
  });

  it('keys() honours prefix, after and limit', () => {
    const store = new Store();
    store.must(...['a', 'aa', 'b/1', 'b/2', 'b/3', 'c'].map((name) => put(name, 'x')));
    expect(keysOf(store, { prefix: utf8('b/') })).to.deep.equal(['b/1', 'b/2', 'b/3']);
    expect(keysOf(store, { prefix: utf8('b/'), after: utf8('b/1') })).to.deep.equal(['b/2', 'b/3']);
    expect(keysOf(store, { prefix: utf8('b/'), after: utf8('a') })).to.have.lengthOf(3);
    expect(keysOf(store, { prefix: utf8('b/'), after: utf8('c') })).to.deep.equal([]);
    expect(keysOf(store, { after: utf8('b') })).to.deep.equal(['b/1', 'b/2', 'b/3', 'c']);
    expect(keysOf(store, { limit: 2 })).to.deep.equal(['a', 'aa']);
    expect(keysOf(store, { limit: 0 })).to.deep.equal([]);
  });

  it('keys() goes on after the last key when keys come and go meanwhile', () => {
    const store = new Store();
    const names = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, '0')}`);
    for (const name of names) store.must(put(name, 'x'));
    const seen: string[] = [];
    for (const record of store.machine.keys({})) {
      const name = fromUtf8(record.key);
      seen.push(name);
      store.must(del(name), put(`a${name}`, 'behind'));
    }
    expect(seen).to.deep.equal(names);
  });

  it('key() gives a record that shares no memory with its argument', () => {
    const store = new Store();
    store.must(put('a', '1'));
    const key = Buffer.from('a');
    const record = store.machine.key(key);
    key[0] = 98;
    expect(record?.key).to.deep.equal(utf8('a'));
  });

  it('apply tells key notices with records, null for deleted ones', () => {
    const store = new Store();
    store.run(put('ä', '1'), del('ä'));
    const [created, deleted] = store.lastNotices;
    expect(created).to.deep.include({ kind: 'key', key: 'ä' });
    expect(deleted).to.deep.equal({ kind: 'key', key: 'ä', record: null });
  });

  it('apply and advance insist on the next index', () => {
    const machine = new StateMachine();
    expect(() => machine.advance(asIndex(1))).to.throw(InvariantError);
    machine.finishLoad(asIndex(7));
    const empty = { timeMs: 0, envelopes: [], minVersion: 0 };
    expect(() => machine.apply(asIndex(7), empty, () => null)).to.throw(InvariantError);
    expect(machine.advance(asIndex(8))).to.deep.equal([]);
    machine.apply(asIndex(9), empty, () => null);
    expect(machine.appliedIndex).to.equal(9);
  });

  it('apply of bytes that are no batch gives no results and no writes, and passes the entry', () => {
    const store = new Store();
    const outcome = store.applyPayload(Uint8Array.of(0xff, 0xff));
    expect(outcome).to.deep.equal({ results: [], writes: [], notices: [] });
    expect(store.machine.appliedIndex).to.equal(1);
  });

  it('apply answers a bad envelope and goes on with the next', () => {
    const store = new Store();
    const good = encodeEnvelope(envelope({ then: [put('a', '1')] }));
    const payload = encodeBatch({ timeMs: 1, envelopes: [Uint8Array.of(9), good] });
    const { results } = store.applyPayload(payload);
    expect(results[0]).to.include({ ok: false, code: 'PARAM_INVALID' });
    expect(results[1]).to.include({ ok: true, revision: 1 });
  });

  it('apply keeps time monotonic, and only a change moves it', () => {
    const store = new Store();
    store.must(put('a', '1'));
    store.timeMs = 5_000_000;
    store.run(del('nothing'));
    store.timeMs = 2_000_000;
    store.must(store.baseline('a', 'UP'));
    expect(store.machine.health('a')?.baselineAtMs).to.equal(2_000_000);
    store.timeMs = 1;
    const id = store.must(store.recordEvent('a'));
    expect(store.event(id).atMs).to.equal(2_000_000);
  });

  it('requiredRows asks for a value only when size and checksum say it may be the same', () => {
    const store = new Store();
    store.must(put('a', 'xx'));
    const rows = (value: string): number => {
      const one = encodeEnvelope(envelope({ then: [put('a', value)], else: [put('b', value)] }));
      const batch = decodeBatch(encodeBatch({ timeMs: 1, envelopes: [one] }));
      return store.machine.requiredRows(batch).length;
    };
    expect([rows('xx'), rows('xy'), rows('xxx')]).to.deep.equal([1, 0, 0]);
  });
});

/** Five bytes whose bits, in the order of CRC-32C, are the polynomial: they add nothing to a CRC. */
function collision(): number[] {
  // x^32 + the reflected polynomial 0x82f63b78, lowest degree last.
  const bits = (0x82f63b78n << 1n) | 1n;
  return [0, 8, 16, 24, 32].map((shift) => Number((bits >> BigInt(shift)) & 0xffn));
}
