import { expect } from 'chai';
import type { GossipEffect } from '../../../../src/gossip/index.ts';
import { freshnessLimitMs, StallGuard } from '../../../../src/health/index.ts';
import type { Member } from '../../../../src/raft/index.ts';
import { NotificationActivity } from '../../../../src/node/watching/activity.ts';
import { explanationOf, votesIn } from '../../../../src/node/watching/explanation.ts';
import { Heard } from '../../../../src/node/watching/heard.ts';
import { Judge } from '../../../../src/node/watching/judge.ts';
import type { Revision, SampleStatus } from '../../../../src/shared/index.ts';
import { asNodeId, utf8 } from '../../../../src/shared/index.ts';
import type { Operation } from '../../../../src/store/index.ts';
import { del, end, put, start } from '../../store/harness.ts';
import { Ledger, votersNamed } from './harness.ts';

const freshMs = freshnessLimitMs(1_000, 500);
const names = ['node1', 'node2', 'node3'] as const;
const heldMs = 10_000;

/** A judge that hears what the test says, above a ledger. */
class Bench {
  readonly ledger = new Ledger();
  readonly heard: Heard;
  readonly judge: Judge;
  readonly waiting: number[] = [];
  readonly reportNumbers = new Map<string, number>();
  /** How many keys were looked at. */
  looks = 0;
  mayDecide = true;
  members = votersNamed(...names);

  constructor() {
    const { clock, logger } = this.ledger;
    this.ledger.settings = { ...this.ledger.settings, eventHoldMs: heldMs };
    this.heard = new Heard({
      clock,
      freshMs,
      members: () => this.members as unknown as readonly Member[],
      gossipers: () => [],
      onKey: (keyId) => this.judge.ballotsChanged(keyId),
      onMember: () => this.judge.memberChanged(),
      onReport: () => this.judge.reportHeard(),
    });
    const nowMs = clock.monotonicMs();
    const stall = { intervalMs: 1_000, beatMs: 1e9, lateMsMax: 1e9 };
    const { state } = this.ledger;
    this.judge = new Judge({
      clock,
      logger,
      node: asNodeId('node1'),
      heard: this.heard,
      activity: new NotificationActivity(nowMs),
      stallGuard: new StallGuard(stall, nowMs),
      freshMs,
      state: () => state,
      members: () => this.members,
      settings: () => {
        this.looks++;
        return this.ledger.settings;
      },
      mayDecide: () => this.mayDecide,
      isTracked: false,
      commit: (operation) => this.commit(operation),
      onWaiting: (count) => this.waiting.push(count),
    });
    this.judge.start();
  }

  async commit(operation: Operation): Promise<{ readonly changed: boolean }> {
    const result = await this.ledger.commit(operation);
    this.tell();
    return result;
  }

  /** Applies and tells the judge, as the composition does. */
  apply(...operations: Operation[]): void {
    this.ledger.store.must(...operations);
    this.tell();
  }

  tell(): void {
    for (const notice of this.ledger.store.lastNotices) {
      if (notice.kind === 'key') {
        if (notice.record === null) this.judge.keyGone(notice.key);
        else this.judge.keyApplied(notice.record);
      } else if (notice.kind === 'baseline') this.judge.healthChanged(notice.key);
      else if (notice.kind === 'event') this.judge.healthChanged(notice.event.key);
    }
  }

  record(key: string) {
    const record = this.ledger.store.machine.key(utf8(key));
    if (record === undefined) throw new Error(`no key ${key}`);
    return record;
  }

  say(key: string, verdict: SampleStatus, by: readonly string[] = names): void {
    const { createRevision: keyId, valueRevision } = this.record(key);
    for (const owner of by.map(asNodeId)) {
      const samples = [verdict];
      const said = { owner, epoch: 1, keyId, valueRevision, verdict, samples, version: 1 };
      this.heard.onGossip({ kind: 'verdict', ...said });
    }
  }

  report(by: readonly string[] = names, basis: number = this.ledger.store.machine.revision): void {
    for (const owner of by) {
      const number = (this.reportNumbers.get(owner) ?? 0) + 1;
      this.reportNumbers.set(owner, number);
      const report = { kind: 'report', owner: asNodeId(owner), epoch: 1, number, basis };
      this.heard.onGossip({ ...report, overdue: [] } as unknown as GossipEffect);
    }
  }

  /** Lets time pass with a report of all once a second. */
  async pass(seconds: number, by: readonly string[] = names): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.report(by);
      await this.ledger.clock.advance(1_000);
    }
  }

  kinds(): string[] {
    return this.ledger.committed.map((one) =>
      one.kind === 'setBaseline' || one.kind === 'recordEvent'
        ? `${one.kind} ${one.expect.key} ${one.to}`
        : one.kind,
    );
  }
}

/** Keys with a baseline UP, each said to be UP by all. */
async function withKeys(bench: Bench, count: number): Promise<readonly string[]> {
  const keys = Array.from({ length: count }, (_, at) => `k${String(at).padStart(5, '0')}`);
  for (const key of keys) {
    bench.apply(put(key, 'v'));
    bench.ledger.store.must(bench.ledger.store.baseline(key, 'UP'));
  }
  bench.report();
  for (const key of keys) bench.say(key, 'UP');
  await bench.pass(2);
  return keys;
}

describe('Judge', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });

  it('Judge tells a baseline soon after the verdicts, of a key made before or after the first one', async () => {
    bench.apply(put('a', 'v'));
    await bench.pass(1);
    bench.say('a', 'UP');
    await bench.pass(1);
    expect(bench.kinds()).to.deep.equal(['setBaseline a UP']);
    bench.apply(put('b', 'v'));
    bench.say('b', 'DOWN');
    await bench.ledger.clock.advance(100);
    expect(bench.kinds()).to.deep.equal(['setBaseline a UP', 'setBaseline b DOWN']);
  });

  it('Judge makes an event of an agreement at the end of its hold, not before', async () => {
    await withKeys(bench, 1);
    bench.say('k00000', 'DOWN');
    await bench.pass(9);
    expect(bench.kinds()).to.deep.equal([]);
    expect(bench.waiting.at(-1)).to.equal(1);
    await bench.pass(2);
    expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN']);
    expect(bench.waiting.at(-1)).to.equal(0);
  });

  it('Judge looks at a changed key at once, however many others there are', async () => {
    const keys = await withKeys(bench, 6_000);
    const last = keys.at(-1) ?? '';
    bench.ledger.settings = { ...bench.ledger.settings, eventHoldMs: 0 };
    await bench.pass(1);
    bench.say(last, 'DOWN');
    await bench.ledger.clock.advance(100);
    expect(bench.kinds()).to.deep.equal([`recordEvent ${last} DOWN`]);
  });

  it('Judge does nothing about keys of which nothing changes', async () => {
    await withKeys(bench, 3_000);
    bench.looks = 0;
    await bench.pass(10);
    expect(bench.looks, 'checks of the settings themselves').to.be.below(60);
  });

  it('Judge starts a hold again after a lapse of freshness, also one that ended unseen', async () => {
    await withKeys(bench, 1);
    bench.say('k00000', 'DOWN');
    await bench.pass(6);
    await bench.ledger.clock.advance(freshMs - 1_000 + 0.5);
    // The report comes before the look at the moment of the lapse.
    await bench.pass(9);
    expect(bench.kinds()).to.deep.equal([]);
    await bench.pass(2);
    expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN']);
  });

  it('Judge goes on with a hold when the one that lapsed was not needed', async () => {
    await withKeys(bench, 1);
    bench.say('k00000', 'DOWN');
    await bench.pass(1);
    await bench.pass(5, ['node1', 'node2']);
    await bench.pass(5);
    expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN']);
  });

  it('Judge looks at all keys, in turns, when the settings or the members change', async () => {
    const keys = await withKeys(bench, 2_500);
    for (const key of keys) bench.say(key, 'DOWN', ['node1']);
    await bench.pass(1);
    expect(bench.waiting.at(-1)).to.equal(0);
    bench.members = votersNamed('node1');
    bench.ledger.settings = { ...bench.ledger.settings, gossipQuorum: 1 };
    await bench.pass(1);
    expect(bench.waiting.at(-1)).to.equal(2_500);
  });

  it('Judge looks at a key again when reports from after its event come', async () => {
    bench.ledger.settings = { ...bench.ledger.settings, eventHoldMs: 0, eventIntervalMs: 0 };
    await withKeys(bench, 1);
    bench.say('k00000', 'DOWN');
    await bench.ledger.clock.advance(100);
    bench.say('k00000', 'UP');
    await bench.ledger.clock.advance(300);
    expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN']);
    bench.report();
    await bench.ledger.clock.advance(100);
    expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN', 'recordEvent k00000 UP']);
  });

  it('Judge tries again when a decision cannot be committed', async () => {
    await withKeys(bench, 1);
    bench.ledger.settings = { ...bench.ledger.settings, eventHoldMs: 0 };
    bench.ledger.failing = 'NO_LEADER';
    bench.say('k00000', 'DOWN');
    await bench.pass(1);
    bench.ledger.failing = null;
    await bench.pass(1);
    expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN']);
  });

  it('Judge holds nothing of a key that was deleted against one made anew', async () => {
    await withKeys(bench, 1);
    bench.say('k00000', 'DOWN');
    await bench.pass(9);
    bench.apply(del('k00000'));
    bench.apply(put('k00000', 'v'));
    bench.ledger.store.must(bench.ledger.store.baseline('k00000', 'UP'));
    bench.say('k00000', 'DOWN');
    await bench.pass(9);
    expect(bench.kinds()).to.deep.equal([]);
    await bench.pass(2);
    expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN']);
  });

  it('Judge begins holds again with another value, another term of office and another state', async () => {
    const disturb: (() => Promise<void> | void)[] = [
      () => {
        bench.apply(put('k00000', 'w'));
        bench.say('k00000', 'DOWN');
      },
      async () => {
        bench.mayDecide = false;
        await bench.pass(1);
        bench.mayDecide = true;
      },
      () => bench.judge.stateReplaced(),
    ];
    for (const disturbance of disturb) {
      bench = new Bench();
      await withKeys(bench, 1);
      bench.say('k00000', 'DOWN');
      await bench.pass(9);
      await disturbance();
      await bench.pass(9);
      expect(bench.kinds()).to.deep.equal([]);
      await bench.pass(2);
      expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN']);
    }
  });

  it('Judge explains a key without changing its hold', async () => {
    await withKeys(bench, 1);
    bench.say('k00000', 'DOWN');
    await bench.pass(4);
    const input = bench.judge.inputFor(bench.record('k00000'));
    expect(explanationOf(input).isWaiting).to.equal(true);
    expect(explanationOf(input).reason).to.match(/waiting: it must last 60\d\d ms more$/);
    expect(votesIn(input)[0]).to.include({ node: 'node1', verdict: 'DOWN', fresh: true, why: '' });
    await bench.pass(5);
    bench.say('k00000', 'UP');
    await bench.pass(1);
    expect(explanationOf(bench.judge.inputFor(bench.record('k00000'))).isWaiting).to.equal(false);
    await bench.ledger.clock.advance(freshMs);
    const [vote] = votesIn(bench.judge.inputFor(bench.record('k00000')));
    expect(vote).to.include({ verdict: 'ABSTAIN', fresh: false });
    expect(vote?.why).to.include('its last report is');
  });

  it('Judge reports a key as waiting while a script of an earlier key of its name runs', async () => {
    await withKeys(bench, 1);
    const { store } = bench.ledger;
    const old = store.must(store.recordEvent('k00000', { to: 'EMPTY' }));
    store.must(start(old, 1));
    bench.apply(del('k00000'));
    bench.apply(put('k00000', 'v'));
    store.must(store.baseline('k00000', 'UP'));
    bench.ledger.settings = { ...bench.ledger.settings, eventHoldMs: 0 };
    bench.say('k00000', 'DOWN');
    await bench.pass(5);
    expect(bench.kinds()).to.deep.equal([]);
    const { reason } = explanationOf(bench.judge.inputFor(bench.record('k00000')));
    expect(reason).to.include(`waiting: the notification of event ${old} is running`);
    store.must(end(old, 1));
    bench.judge.healthChanged('k00000');
    await bench.pass(1);
    expect(bench.kinds()).to.deep.equal(['recordEvent k00000 DOWN']);
  });

  it('Judge forgets what it heard of a key that is gone', async () => {
    await withKeys(bench, 1);
    const keyId: Revision = bench.record('k00000').createRevision;
    expect(bench.heard.hasBallots(keyId)).to.equal(true);
    bench.apply(del('k00000'));
    expect(bench.heard.hasBallots(keyId)).to.equal(false);
  });
});
