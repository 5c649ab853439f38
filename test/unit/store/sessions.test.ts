import { expect } from 'chai';
import fc from 'fast-check';
import { longHashOfText } from '../../../src/store/item-hash.ts';
import { compare, del, put, Store } from './harness.ts';
import { ask, codeOf, expiredRowsOf, hourMs, request } from './session-requests.ts';

/** Two ids with the same 53 bits; made in a second out of blocks whose halves collide. */
const twins = [
  '16cd1kia1pad33ea2ujag3zxepvu2ujag3zxepvu2ujag3zxepvu',
  '16cd1kia1padepvu2uja1pad33ea2uja1pad33ea2ujag3zxepvu',
] as const;

/** With both of them, and nobody else, as expired. */
function withExpiredTwins(expiredSessionsMax: number): Store {
  expect(longHashOfText(twins[0])).to.equal(longHashOfText(twins[1]));
  const store = new Store({ sessionsMax: 2, expiredSessionsMax });
  for (const id of [...twins, 'a', 'b']) expect(ask(store, id, 1).ok, id).to.equal(true);
  return store;
}

describe('Client sessions', () => {
  it('a request that is repeated gets the first answer and changes nothing', () => {
    const store = new Store();
    const first = ask(store, 'me', 1);
    ask(store, 'other', 1);
    const digest = store.machine.digest();
    expect(ask(store, 'me', 1)).to.deep.equal(first);
    expect(store.lastNotices).to.deep.equal([]);
    expect(store.machine.digest()).to.equal(digest);
    expect(store.value('key')).to.equal('other 1');
    expect(store.machine.revision).to.equal(2);
  });

  it('a repetition in the same entry gets the first answer', () => {
    const store = new Store();
    const one = request('me', 1);
    const results = store.applyAll([one, one, request('me', 2), one]);
    expect(results[1]).to.deep.equal(results[0]);
    expect(results[3]).to.deep.equal(results[0]);
    expect(store.machine.revision).to.equal(2);
  });

  it('answers that changed nothing, lost a condition or refused are repeated too', () => {
    const store = new Store({ valueBytesMax: 4 });
    const requests = [
      request('me', 1, { then: [del('none')] }),
      request('me', 2, { compare: [compare('a', { number: 7 })], else: [put('a', '1')] }),
      request('me', 3, { then: [put('a', 'too large')] }),
      request('me', 4, { keyspace: 'other' }),
    ];
    const answers = requests.map((one) => store.runEnvelope(one));
    expect(answers.map(codeOf)).to.deep.equal(['ok', 'ok', 'TOO_LARGE', 'PARAM_INVALID']);
    store.must(put('none', '1'));
    const restored = store.restored({ valueBytesMax: 99 });
    expect(requests.map((one) => restored.runEnvelope(one))).to.deep.equal(answers);
    expect(restored.value('none')).to.equal('1');
  });

  it('sequences may have gaps, and come in any order inside the window', () => {
    const store = new Store();
    const sequences = [1, 40, 7, 64, 2, 3];
    for (const sequence of sequences) expect(ask(store, 'me', sequence).ok).to.equal(true);
    expect(store.machine.revision).to.equal(sequences.length);
    for (const sequence of sequences) expect(ask(store, 'me', sequence).ok).to.equal(true);
    expect(store.machine.revision).to.equal(sequences.length);
  });

  it('a sequence below the window is refused and not carried out', () => {
    const store = new Store();
    ask(store, 'me', 1);
    ask(store, 'me', 65);
    const result = ask(store, 'me', 1);
    expect(result).to.deep.equal({
      ok: false,
      code: 'SESSION_EXPIRED',
      message: 'Cannot carry out request 1 of client me: answers are kept from request 2 on',
    });
    expect(ask(store, 'me', 2).ok).to.equal(true);
    expect(store.value('key')).to.equal('me 2');
  });

  it('an unknown client begins with request 1 and nothing else', () => {
    const store = new Store();
    expect(ask(store, 'me', 2)).to.deep.equal({
      ok: false,
      code: 'SESSION_EXPIRED',
      message: 'Cannot carry out request 2 of client me: this session is not known, or expired',
    });
    expect(store.machine.keyCount).to.equal(0);
  });

  it('an id that is no id is refused before anything is carried out', () => {
    const store = new Store();
    for (const id of ['', 'a b', 'é', 'x'.repeat(65), '\u007f']) {
      expect(codeOf(ask(store, id, 1)), id).to.equal('PARAM_INVALID');
    }
    expect(codeOf(ask(store, 'x'.repeat(64), 1))).to.equal('ok');
    expect(store.machine.revision).to.equal(1);
  });

  it('a session without a sequence is only a name', () => {
    const store = new Store();
    ask(store, 'me', 0);
    ask(store, 'me', 0);
    expect(store.machine.revision).to.equal(2);
  });

  it('beyond the limit the session ends that was used least recently', () => {
    let store = new Store({ sessionsMax: 3 });
    for (const id of ['a', 'b', 'c']) ask(store, id, 1);
    ask(store, 'a', 2);
    store = store.restored();
    ask(store, 'd', 1);
    expect(codeOf(ask(store, 'b', 2))).to.equal('SESSION_EXPIRED');
    expect(codeOf(ask(store, 'b', 1))).to.equal('SESSION_EXPIRED');
    for (const id of ['a', 'c', 'd']) expect(codeOf(ask(store, id, 3)), id).to.equal('ok');
  });

  it('sessions end as well when their answers are too large together', () => {
    const store = new Store({ sessionsBytesMax: 1000 });
    for (let sequence = 1; sequence <= 20; sequence++) ask(store, 'a', sequence);
    expect(ask(store, 'a', 20).ok, 'the one in use stays').to.equal(true);
    ask(store, 'b', 1);
    expect(codeOf(ask(store, 'a', 20))).to.equal('SESSION_EXPIRED');
    expect(store.machine.databaseBytes).to.be.below(1000);
  });

  it('expired ids are remembered up to the limit, the newest', () => {
    const store = new Store({ sessionsMax: 1, expiredSessionsMax: 2 });
    for (const id of ['a', 'b', 'c', 'd']) ask(store, id, 1);
    const restored = store.restored();
    expect(restored.machine.digest()).to.equal(store.machine.digest());
    for (const id of ['b', 'c']) expect(codeOf(ask(restored, id, 1))).to.equal('SESSION_EXPIRED');
    expect(codeOf(ask(restored, 'a', 1)), 'forgotten').to.equal('ok');
    expect(expiredRowsOf(store)).to.equal(2);
  });

  it('expired ids of the same hash do not keep the state from being loaded', () => {
    const store = withExpiredTwins(9);
    const restored = store.restored();
    expect(restored.machine.digest()).to.equal(store.machine.digest());
    for (const id of twins) expect(codeOf(ask(restored, id, 1))).to.equal('SESSION_EXPIRED');
  });

  it('expired ids of the same hash are forgotten one by one, rows and memory alike', () => {
    const store = withExpiredTwins(2);
    const found: string[] = [];
    for (const id of ['c', 'd']) {
      ask(store, id, 1);
      const restored = store.restored();
      expect(restored.machine.digest()).to.equal(store.machine.digest());
      expect(expiredRowsOf(store)).to.equal(2);
      found.push(codeOf(ask(restored, twins[1], 1)));
    }
    expect(found).to.deep.equal(['SESSION_EXPIRED', 'ok']);
  });
});

interface ModelSession {
  readonly id: string;
  highest: number;
  usedMs: number;
  readonly answers: Map<number, string>;
}

interface ModelMax {
  readonly sessions: number;
  readonly window: number;
  readonly stepMs: number;
}

/** The rules once more, in the simplest way. */
class Model {
  readonly #sessions: ModelSession[] = [];
  readonly #expired: string[] = [];
  readonly #max: ModelMax;
  /** Up to the last batch that changed something. */
  #clock = { atMs: 0, idleMs: 0 };
  nowMs = 0;
  applied = 0;

  constructor(max: ModelMax) {
    this.#max = max;
  }

  ask(id: string, sequence: number): string {
    const before = this.applied + this.#expired.length;
    const stepMs = Math.min(this.nowMs - this.#clock.atMs, this.#max.stepMs);
    const idleMs = this.#clock.idleMs + stepMs;
    this.#expire((session) => idleMs - session.usedMs > hourMs);
    const answer = this.#answer(id, sequence, idleMs);
    const isChanged = this.applied + this.#expired.length > before;
    if (isChanged) this.#clock = { atMs: this.nowMs, idleMs };
    return answer;
  }

  #answer(id: string, sequence: number, idleMs: number): string {
    const at = this.#sessions.findIndex((session) => session.id === id);
    if (at < 0 && (sequence !== 1 || this.#expired.includes(id))) return 'SESSION_EXPIRED';
    const session: ModelSession = this.#sessions[at] ?? {
      id,
      highest: 0,
      usedMs: 0,
      answers: new Map(),
    };
    const known = session.answers.get(sequence);
    const isOld = sequence <= session.highest - this.#max.window;
    if (isOld) return 'SESSION_EXPIRED';
    if (known !== undefined) return known;
    if (at >= 0) this.#sessions.splice(at, 1);
    session.highest = Math.max(session.highest, sequence);
    session.usedMs = idleMs;
    session.answers.set(sequence, `revision ${++this.applied}`);
    this.#sessions.push(session);
    if (this.#sessions.length > this.#max.sessions)
      this.#expire((one) => one === this.#sessions[0]);
    return `revision ${this.applied}`;
  }

  #expire(isOver: (session: ModelSession) => boolean): void {
    const over = this.#sessions.filter(isOver);
    for (const session of over) this.#sessions.splice(this.#sessions.indexOf(session), 1);
    this.#expired.push(...over.map(({ id }) => id));
  }
}

describe('Client sessions, against a model', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    sequence: fc.integer({ min: 1, max: 9 }),
    waitMs: fc.constantFrom(0, 0, 0, 0, hourMs / 4, hourMs / 2, hourMs),
    isRestored: fc.boolean(),
  });

  it('any requests, repetitions, waits and restarts apply each request at most once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Model({ sessions: 3, window: 4, stepMs: hourMs / 2 });
        let store = new Store({ sessionsMax: 3, sessionWindow: 4, sessionStepMs: hourMs / 2 });
        for (const { id, sequence, waitMs, isRestored } of steps) {
          store.timeMs += waitMs;
          model.nowMs += waitMs;
          const result = ask(store, id, sequence);
          const found = result.ok ? `revision ${result.revision}` : result.code;
          expect(found).to.equal(model.ask(id, sequence));
          if (isRestored) store = store.restored();
        }
        expect(store.machine.revision).to.equal(model.applied);
        expect(store.restored().machine.digest()).to.equal(store.machine.digest());
      }),
      { seed: 11, numRuns: 400 },
    );
  });
});
