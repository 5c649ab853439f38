import { expect } from 'chai';
import { asNodeId, asRevision } from '../../../src/shared/index.ts';
import type { EvidenceVote } from '../../../src/shared/index.ts';
import { tokenOf } from '../../../src/store/index.ts';
import { close, del, end, evidence, put, start, Store } from './harness.ts';

const lost = { ok: true, changed: false };

/** A store with key `a` and its baseline. */
function watched(baseline: 'UP' | 'DOWN' = 'UP'): Store {
  const store = new Store();
  store.must(put('a', '1'));
  store.must(store.baseline('a', baseline));
  return store;
}

describe('StateMachine health', () => {
  it('setBaseline sets the first baseline, silently and once', () => {
    const store = new Store();
    store.must(put('a', '1'));
    expect(store.machine.health('a')).to.equal(undefined);
    store.must(store.baseline('a', 'DOWN'));
    expect(store.machine.health('a')).to.deep.equal({
      createRevision: 1,
      baseline: 'DOWN',
      empty: false,
      lastAvailabilityEvent: null,
      lastEmptinessEvent: null,
      baselineAtMs: 1_000_000,
      emptyAtMs: 0,
    });
    const health = store.machine.health('a');
    expect(store.lastNotices).to.deep.equal([{ kind: 'baseline', key: 'a', health }]);
    expect(store.run(store.baseline('a', 'UP'))).to.include(lost);
    expect(store.machine.events({ limit: 9 })).to.deep.equal([]);
  });

  it('setBaseline and recordEvent lose against another key, value or no key', () => {
    const store = watched();
    const old = store.recordEvent('a');
    const oldBaseline = store.baseline('a', 'UP');
    store.must(put('a', '2'));
    expect(store.run(old)).to.deep.include({ ...lost, revision: 3 });
    store.must(put('a', '1'));
    expect(store.run(old)).to.include(lost);
    store.must(del('a'));
    expect(store.run(old)).to.include(lost);
    expect(store.run(oldBaseline)).to.include(lost);
    store.must(put('a', '1'));
    expect(store.run(oldBaseline)).to.include(lost);
    expect(store.run(store.baseline('none', 'UP'))).to.include(lost);
  });

  it('recordEvent loses when only the create revision is another one', () => {
    const store = watched();
    const expectation = { ...store.expectation('a'), createRevision: asRevision(0) };
    expect(store.run(store.recordEvent('a', { expect: expectation }))).to.include(lost);
  });

  it('a put of the same bytes does not lose a decision, one of others keeps the baseline', () => {
    const store = watched();
    const event = store.recordEvent('a');
    store.must(put('a', '1'));
    store.must(event);
    store.must(put('a', '2'));
    expect(store.machine.health('a')?.baseline).to.equal('DOWN');
  });

  it('recordEvent moves the baseline and is known by its revision', () => {
    const store = watched();
    const id = store.must(store.recordEvent('a'));
    expect(id).to.equal(3);
    expect(store.event(id)).to.deep.equal({
      id: 3,
      token: '0000000001.0000000000000003',
      key: 'a',
      createRevision: 1,
      value: '1',
      valueRevision: 1,
      from: 'UP',
      to: 'DOWN',
      reason: 'agreed',
      atMs: 1_000_000,
      evidence,
      notification: { state: 'pending', attempts: [] },
    });
    expect(store.machine.health('a')).to.include({ baseline: 'DOWN', lastAvailabilityEvent: 3 });
    expect(store.lastNotices).to.deep.equal([{ kind: 'event', event: store.event(id) }]);
  });

  it('recordEvent of UP or DOWN needs a baseline that it leaves', () => {
    const store = new Store();
    store.must(put('a', '1'));
    expect(store.run(store.recordEvent('a'))).to.include(lost);
    store.must(store.baseline('a', 'UP'));
    for (const [from, to] of [
      ['DOWN', 'UP'],
      ['UP', 'UP'],
      ['', 'DOWN'],
      ['EMPTY', 'DOWN'],
    ] as const) {
      expect(store.run(store.recordEvent('a', { from, to })), `${from}>${to}`).to.include(lost);
    }
    store.must(store.recordEvent('a', { from: 'UP', to: 'DOWN' }));
  });

  it('recordEvent of EMPTY sets a flag beside the baseline, of EMPTY_RECOVER clears it', () => {
    const store = watched();
    const recover = { from: 'EMPTY', to: 'EMPTY_RECOVER', tracked: false } as const;
    const empty = { from: 'UP', to: 'EMPTY', tracked: false } as const;
    expect(store.run(store.recordEvent('a', recover))).to.include(lost);
    expect(store.run(store.recordEvent('a', { ...empty, from: 'DOWN' }))).to.include(lost);
    const first = store.must(store.recordEvent('a', empty));
    expect(store.machine.health('a')).to.include({
      baseline: 'UP',
      empty: true,
      lastEmptinessEvent: first,
      lastAvailabilityEvent: null,
      emptyAtMs: 1_000_000,
    });
    expect(store.run(store.recordEvent('a', empty))).to.include(lost);
    const second = store.must(store.recordEvent('a', recover));
    expect(store.machine.health('a')).to.include({ empty: false, lastEmptinessEvent: second });
    store.must(store.recordEvent('a', { ...empty, from: '' }));
  });

  it('recordEvent of UP or DOWN clears the empty flag', () => {
    const store = watched();
    store.must(store.recordEvent('a', { to: 'EMPTY' }));
    store.timeMs += 5;
    store.must(store.recordEvent('a', { to: 'DOWN' }));
    expect(store.machine.health('a')).to.include({
      baseline: 'DOWN',
      empty: false,
      emptyAtMs: 1_000_005,
    });
  });

  it('recordEvent waits for the tracked notification of its key and kind only', () => {
    const store = watched();
    store.must(put('b', '1'));
    store.must(store.baseline('b', 'UP'));
    const id = store.must(store.recordEvent('a'));
    const back = { from: 'DOWN', to: 'UP' } as const;
    expect(store.run(store.recordEvent('a', back))).to.include(lost);
    store.must(store.recordEvent('b'));
    store.must(store.recordEvent('a', { from: 'DOWN', to: 'EMPTY' }));
    store.must(start(id, 1));
    expect(store.run(store.recordEvent('a', back))).to.include(lost);
    store.must(end(id, 1));
    store.must(store.recordEvent('a', back));
  });

  it('recordEvent follows at once when the envelope closes what was pending', () => {
    const store = watched();
    const id = store.must(store.recordEvent('a'));
    store.must(close(id, 'superseded'), store.recordEvent('a', { from: 'DOWN', to: 'UP' }));
    expect(store.state(id)).to.equal('superseded');
    expect(store.machine.health('a')?.baseline).to.equal('UP');
  });

  it('recordEvent that is not tracked delays nothing', () => {
    const store = watched();
    const id = store.must(store.recordEvent('a', { tracked: false }));
    expect(store.state(id)).to.equal('none');
    expect(store.machine.openNotifications()).to.deep.equal([]);
    store.must(store.recordEvent('a', { from: 'DOWN', to: 'UP' }));
  });

  it('apply takes one event per envelope', () => {
    const store = watched();
    const two = [
      store.recordEvent('a', { tracked: false }),
      store.recordEvent('a', { from: 'DOWN', to: 'UP' }),
    ];
    expect(store.run(...two)).to.include({ ok: false, code: 'PARAM_INVALID' });
  });

  it('recordEvent cuts texts and lists to their limits, at whole characters', () => {
    const store = watched();
    const vote: EvidenceVote = {
      node: asNodeId('n'.repeat(300)),
      zone: 'ä'.repeat(200),
      verdict: 'DOWN',
      samples: new Array<'DOWN'>(20).fill('DOWN'),
      ageMs: 1.5,
      counted: true,
      why: '\u{1f600}'.repeat(100),
    };
    const votes = new Array<EvidenceVote>(200).fill(vote);
    const id = store.must(
      store.recordEvent('a', {
        reason: `x${'ä'.repeat(2000)}`,
        evidence: { quorum: 2, minZones: 1, votes },
      }),
    );
    const event = store.event(id);
    expect(event.reason).to.equal(`x${'ä'.repeat(511)}`);
    expect(event.evidence.votes).to.have.lengthOf(128);
    expect(event.evidence.votes[0]).to.deep.equal({
      ...vote,
      node: 'n'.repeat(256),
      zone: 'ä'.repeat(128),
      samples: vote.samples.slice(0, 16),
      ageMs: 2,
      why: '\u{1f600}'.repeat(64),
    });
  });

  it('tokenOf orders as text: by epoch, then by id', () => {
    const tokens = [
      tokenOf(1, asRevision(9)),
      tokenOf(1, asRevision(10)),
      tokenOf(1, asRevision(Number.MAX_SAFE_INTEGER)),
      tokenOf(2, asRevision(1)),
    ];
    expect([...tokens].sort()).to.deep.equal(tokens);
  });
});
