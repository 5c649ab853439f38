import { expect } from 'chai';
import fc from 'fast-check';
import { utf8 } from '../../../src/shared/index.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  supportedClusterVersion,
} from '../../../src/store/index.ts';
import type { Compare } from '../../../src/store/index.ts';
import { operation } from './arbitraries.ts';
import { compare, del, envelope, put, Store } from './harness.ts';

const holds = (store: Store, ...conditions: Compare[]): boolean => {
  const result = store.runEnvelope(envelope({ compare: conditions }));
  if (!result.ok) throw new Error(result.message);
  return result.branch === 'then';
};

describe('StateMachine transactions', () => {
  it('apply compares revisions and versions, 0 for no key', () => {
    const store = new Store();
    store.must(put('x', '1'));
    store.must(put('a', '1'));
    store.must(put('a', '2'));
    const cases: [string, Partial<Compare>, boolean][] = [
      ['a', { target: 'createRevision', number: 2 }, true],
      ['a', { target: 'modRevision', number: 3 }, true],
      ['a', { target: 'version', number: 2 }, true],
      ['a', { target: 'version', relation: 'less', number: 2 }, false],
      ['a', { target: 'version', relation: 'less', number: 3 }, true],
      ['a', { target: 'version', relation: 'greater', number: 1 }, true],
      ['a', { target: 'version', relation: 'greater', number: 2 }, false],
      ['a', { target: 'version', relation: 'notEqual', number: 2 }, false],
      ['none', { target: 'createRevision', number: 0 }, true],
      ['none', { target: 'version', relation: 'greater', number: 0 }, false],
    ];
    for (const [key, fields, expected] of cases) {
      expect(holds(store, compare(key, fields)), JSON.stringify(fields)).to.equal(expected);
    }
  });

  it('apply compares values; none holds for a key that does not exist', () => {
    const store = new Store();
    store.must(put('a', '12'));
    const value = (key: string, relation: Compare['relation'], text: string): boolean =>
      holds(store, compare(key, { target: 'value', relation, bytes: utf8(text) }));
    expect(value('a', 'equal', '12')).to.equal(true);
    expect(value('a', 'equal', '13')).to.equal(false);
    expect(value('a', 'notEqual', '13')).to.equal(true);
    expect(value('a', 'notEqual', '12')).to.equal(false);
    expect(value('none', 'equal', '')).to.equal(false);
    expect(value('none', 'notEqual', '1')).to.equal(false);
    expect(() => value('a', 'less', '1')).to.throw('equal or notEqual');
  });

  it('apply runs then only when all conditions hold', () => {
    const store = new Store();
    const conditions = [compare('a', {}), compare('b', { number: 1 })];
    const one = envelope({ compare: conditions, then: [put('t', '1')], else: [put('e', '1')] });
    expect(store.runEnvelope(one)).to.include({ branch: 'else', changed: true });
    expect([store.value('t'), store.value('e')]).to.deep.equal([undefined, '1']);
  });

  it('apply sees what earlier operations of the envelope did, under one revision', () => {
    const store = new Store();
    expect(store.run(put('a', '1'), put('a', '2'), put('b', '3'), del('b'))).to.include({
      revision: 1,
    });
    expect(store.machine.key(utf8('a'))).to.include({ version: 2, createRevision: 1 });
    expect(store.value('a')).to.equal('2');
    expect(store.machine.keyCount).to.equal(1);
  });

  it('apply undoes everything when one operation fails', () => {
    const store = new Store({ keysMax: 2 });
    store.must(put('a', '1'));
    store.must(store.baseline('a', 'UP'));
    const id = store.must(store.recordEvent('a'));
    const digest = store.machine.digest();
    const rows = new Map(store.rows);
    const result = store.run(
      put('a', '2'),
      del('a'),
      put('b', '1'),
      { kind: 'putSettings', settings: { notifyRetries: 3 } },
      put('a', '3'),
      put('c', '1'),
    );
    expect(result).to.include({ ok: false, code: 'STORE_FULL' });
    expect(store.machine.digest()).to.equal(digest);
    expect(store.rows).to.deep.equal(rows);
    expect(store.lastNotices).to.deep.equal([]);
    expect(store.machine.settings).to.equal(null);
    expect(store.state(id)).to.equal('pending');
    expect(store.machine.openNotifications()).to.deep.equal([store.event(id)]);
  });

  it('apply undoes any operations before a failure, whatever they were', () => {
    const failing = {
      kind: 'closeNotification',
      eventId: 99,
      state: 'failed',
      reason: '',
    } as never;
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 12 }),
        fc.array(operation, { maxLength: 6 }),
        (before, undone) => {
          const store = new Store();
          for (const one of before) store.run(one);
          const digest = store.machine.digest();
          const bytes = store.machine.databaseBytes;
          store.run(...undone, failing);
          expect(store.machine.digest()).to.equal(digest);
          expect(store.machine.databaseBytes).to.equal(bytes);
          expect(store.restored().machine.digest()).to.equal(digest);
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  it('apply refuses what it does not know: keyspaces, too many operations', () => {
    const store = new Store({ operationsMax: 3 });
    const code = (fields: object): unknown => store.runEnvelope(envelope(fields));
    const refused = { ok: false, code: 'PARAM_INVALID' };
    expect(code({ keyspace: 'k', then: [put('a', '1')] })).to.include(refused);
    expect(code({ then: [1, 2, 3, 4].map((n) => put(`k${n}`, '1')) })).to.include(refused);
    expect(code({ principal: 'x'.repeat(257) })).to.include(refused);
    expect(store.machine.revision).to.equal(0);
  });

  it('apply stops at a command of a later cluster version: to skip it would be another state', () => {
    const store = new Store();
    store.runEnvelope(envelope({ then: [put('a', '1')] }));
    const digest = store.machine.digest();
    const later = envelope({ minVersion: supportedClusterVersion + 1, then: [put('b', '1')] });
    expect(() => store.runEnvelope(later)).to.throw(/needs newer software/);
    const unreadable = Uint8Array.of(...encodeEnvelope(later), 0x7f);
    const payload = encodeBatch({ timeMs: 1, envelopes: [unreadable] });
    expect(decodeBatch(payload).envelopes).to.deep.equal([null]);
    expect(() => store.applyPayload(payload)).to.throw(/needs newer software/);
    expect(store.machine.digest()).to.equal(digest);
    expect(store.machine.appliedIndex).to.equal(1);
  });

  it('apply refuses a bad operation even in the branch that does not run', () => {
    const store = new Store();
    const one = envelope({ then: [put('a', '1')], else: [put('', '1')] });
    expect(store.runEnvelope(one)).to.include({ ok: false, code: 'PARAM_INVALID' });
  });
});
