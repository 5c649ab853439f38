import { expect } from 'chai';
import { asNodeId } from '../../../src/shared/index.ts';
import type { Revision } from '../../../src/shared/index.ts';
import type { Operation } from '../../../src/store/index.ts';
import { close, del, end, put, start, Store } from './harness.ts';

const lost = { ok: true, changed: false };
const unknown = { ok: false, code: 'NOT_FOUND' };

/** A store with one event that waits for its notification. */
function pending(limits = {}): { store: Store; id: Revision } {
  const store = new Store(limits);
  store.must(put('a', '1'));
  store.must(store.baseline('a', 'UP'));
  return { store, id: store.must(store.recordEvent('a')) };
}

const followerRun = (eventId: Revision, startedAtMs: number): Operation => ({
  kind: 'recordFollowerRun',
  eventId,
  node: asNodeId('node2'),
  startedAtMs,
  durationMs: 3,
  exitCode: 1,
  signal: null,
  timedOut: false,
  output: 'seen',
});

describe('StateMachine notifications', () => {
  it('startAttempt and endAttempt take a notification from pending to done', () => {
    const { store, id } = pending();
    store.must(start(id, 1));
    expect(store.state(id)).to.equal('running');
    expect(store.lastNotices).to.deep.equal([
      { kind: 'notification', event: store.event(id), eventKind: 'availability', ended: false },
    ]);
    store.must(end(id, 1));
    expect(store.event(id).notification).to.deep.equal({
      state: 'done',
      attempts: [
        {
          attempt: 1,
          node: 'node1',
          role: 'leader',
          startedAtMs: 5000,
          durationMs: 70,
          exitCode: 0,
          signal: null,
          timedOut: false,
          output: 'switched',
        },
      ],
    });
    expect(store.lastNotices).to.deep.equal([
      { kind: 'notification', event: store.event(id), eventKind: 'availability', ended: true },
    ]);
    expect(store.machine.openNotifications()).to.deep.equal([]);
  });

  it('endAttempt with retry puts it back to pending, with failed ends it', () => {
    const { store, id } = pending();
    store.must(start(id, 1));
    store.must(end(id, 1, { outcome: 'retry', exitCode: null, signal: 'SIGKILL', timedOut: true }));
    expect(store.state(id)).to.equal('pending');
    expect(store.lastNotices[0]).to.include({ ended: false });
    store.must(start(id, 2));
    store.must(end(id, 2, { outcome: 'failed', exitCode: 100 }));
    expect(store.state(id)).to.equal('failed');
    const codes = store.event(id).notification.attempts.map((one) => one.exitCode);
    expect(codes).to.deep.equal([null, 100]);
  });

  it('startAttempt takes only the next number, and only while open', () => {
    const { store, id } = pending();
    expect(store.run(start(id, 0))).to.include(lost);
    expect(store.run(start(id, 2))).to.include(lost);
    store.must(start(id, 1));
    expect(store.run(start(id, 1))).to.include(lost);
    store.must(end(id, 1));
    expect(store.run(start(id, 2))).to.include(lost);
  });

  it('startAttempt of a new leader takes over a running attempt, whose end stays unknown', () => {
    const { store, id } = pending();
    store.must(start(id, 1, 'node1'));
    store.must(start(id, 2, 'node2'));
    expect(store.state(id)).to.equal('running');
    expect(store.event(id).notification.attempts).to.deep.include({
      attempt: 1,
      node: 'node1',
      role: 'leader',
      startedAtMs: 5000,
      durationMs: null,
      exitCode: null,
      signal: null,
      timedOut: false,
      output: '',
    });
    store.must(start(id, 3, 'node2'));
  });

  it('endAttempt of an attempt taken over is written down and decides nothing', () => {
    const { store, id } = pending();
    store.must(start(id, 1, 'node1'));
    store.must(start(id, 2, 'node2'));
    store.must(end(id, 1, { outcome: 'retry', exitCode: 7 }));
    expect(store.state(id)).to.equal('running');
    expect(store.event(id).notification.attempts[0]).to.include({ exitCode: 7 });
    expect(store.lastNotices).to.deep.equal([]);
    expect(store.run(end(id, 1, { outcome: 'done' }))).to.include(lost);
    store.must(end(id, 2, { node: asNodeId('node2') }));
    expect(store.state(id)).to.equal('done');
  });

  it('endAttempt loses when attempt or node are not those of a run', () => {
    const { store, id } = pending();
    expect(store.run(end(id, 1))).to.include(lost);
    store.must(start(id, 1));
    expect(store.run(end(id, 2))).to.include(lost);
    expect(store.run(end(id, 1, { node: asNodeId('node2') }))).to.include(lost);
    store.must(end(id, 1));
    expect(store.run(end(id, 1, { outcome: 'retry' }))).to.include(lost);
  });

  it('closeNotification ends what is pending and nothing else', () => {
    const { store, id } = pending();
    store.must(start(id, 1));
    expect(store.run(close(id, 'superseded'))).to.include(lost);
    store.must(end(id, 1, { outcome: 'retry' }));
    store.must(close(id, 'failed'));
    expect(store.state(id)).to.equal('failed');
    expect(store.run(close(id, 'superseded'))).to.include(lost);
  });

  it('recordFollowerRun is kept for people, once, and changes no state', () => {
    const { store, id } = pending();
    store.must(followerRun(id, 10));
    expect(store.run(followerRun(id, 10))).to.include(lost);
    store.must(followerRun(id, 11));
    expect(store.state(id)).to.equal('pending');
    expect(store.lastNotices).to.deep.equal([]);
    expect(store.event(id).notification.attempts[1]).to.include({ role: 'follower', exitCode: 1 });
    store.must(start(id, 1));
  });

  it('commands about an event that is not there answer NOT_FOUND', () => {
    const { store } = pending();
    const none = 99 as Revision;
    expect(store.run(start(none, 1))).to.include(unknown);
    expect(store.run(end(none, 1))).to.include(unknown);
    expect(store.run(close(none, 'failed'))).to.include(unknown);
    expect(store.run(followerRun(none, 1))).to.include(unknown);
  });

  it('output is cut to 4096 bytes at a whole character', () => {
    const { store, id } = pending();
    store.must(start(id, 1));
    store.must(end(id, 1, { output: `x${'ä'.repeat(3000)}` }));
    expect(store.event(id).notification.attempts[0]?.output).to.equal(`x${'ä'.repeat(2047)}`);
  });

  it('runs above the limit push out the oldest, never the number of the last attempt', () => {
    const { store, id } = pending({ attemptsMax: 4 });
    for (let attempt = 1; attempt <= 6; attempt++) {
      store.must(start(id, attempt));
      store.must(end(id, attempt, { outcome: 'retry' }));
    }
    for (let i = 0; i < 8; i++) store.must(followerRun(id, i));
    const { attempts } = store.event(id).notification;
    expect(attempts).to.have.lengthOf(4);
    expect(attempts[0]).to.include({ role: 'leader', attempt: 6 });
    store.must(start(id, 7));
  });

  it('a delete supersedes what is pending and lets a running script end', () => {
    const { store, id } = pending();
    const empty = store.must(store.recordEvent('a', { from: 'DOWN', to: 'EMPTY' }));
    store.must(start(id, 1));
    store.must(del('a'));
    expect([store.state(id), store.state(empty)]).to.deep.equal(['running', 'superseded']);
    expect(store.lastNotices).to.deep.include({
      kind: 'notification',
      event: store.event(empty),
      eventKind: 'emptiness',
      ended: true,
    });
    expect(store.run(start(id, 2, 'node2'))).to.include(lost);
    store.must(end(id, 1, { outcome: 'retry' }));
    expect(store.state(id)).to.equal('failed');
  });

  it('a key created anew waits for the script of the deleted one', () => {
    const { store, id } = pending();
    store.must(start(id, 1));
    store.must(del('a'), put('a', '1'));
    store.must(store.baseline('a', 'UP'));
    const conflict = { ok: false, code: 'CONFLICT' };
    expect(store.run(store.recordEvent('a'))).to.include(conflict);
    expect(store.run(store.recordEvent('a', { to: 'EMPTY' }))).to.include(conflict);
    expect(store.restored().run(store.recordEvent('a'))).to.include(conflict);
    store.must(end(id, 1, { outcome: 'retry' }));
    store.must(store.recordEvent('a'));
  });

  it('openNotifications lists pending and running, oldest first', () => {
    const { store, id } = pending();
    store.must(put('b', '1'));
    store.must(store.baseline('b', 'UP'));
    const second = store.must(store.recordEvent('b'));
    store.must(start(id, 1));
    store.must(end(id, 1, { outcome: 'retry' }));
    const open = (): number[] => store.machine.openNotifications().map((event) => event.id);
    expect(open()).to.deep.equal([id, second]);
    store.must(close(id, 'failed'));
    expect(open()).to.deep.equal([second]);
  });
});
