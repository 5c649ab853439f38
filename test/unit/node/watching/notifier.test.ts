import { expect } from 'chai';
import { asNodeId, QuorateError } from '../../../../src/shared/index.ts';
import { del } from '../../store/harness.ts';
import { deferred } from '../support.ts';
import { Ledger, NotifierNode } from './harness.ts';

describe('Notifier', () => {
  let ledger: Ledger;
  let node1: NotifierNode;
  beforeEach(() => {
    ledger = new Ledger();
    node1 = new NotifierNode(ledger);
  });

  it('Notifier runs a pending notification as leader and records its end', async () => {
    const event = ledger.eventOf('a');
    await ledger.clock.advance(300);
    expect(node1.runs.map(({ role, attempt }) => [role, attempt])).to.deep.equal([['leader', 1]]);
    expect(ledger.store.state(event.id)).to.equal('running');
    node1.runs[0]?.exit(0);
    await ledger.clock.advance(0);
    expect(ledger.store.state(event.id)).to.equal('done');
    expect(ledger.attemptsOf(event)).to.have.length(1);
    expect(node1.notifier.runningCount).to.equal(0);
  });

  it('Notifier does nothing on a node that may not decide', async () => {
    ledger.leader = asNodeId('node2');
    ledger.eventOf('a');
    await ledger.clock.advance(5_000);
    expect(node1.runs).to.deep.equal([]);
    expect(ledger.committed).to.deep.equal([]);
  });

  it('Notifier tries again after 5 s, then 10 s, and not before', async () => {
    ledger.eventOf('a');
    await ledger.clock.advance(300);
    node1.runs[0]?.exit(1);
    await ledger.clock.advance(4_900);
    expect(node1.runs).to.have.length(1);
    await ledger.clock.advance(400);
    expect(node1.runs.at(-1)?.attempt).to.equal(2);
    node1.runs[1]?.exit(1);
    await ledger.clock.advance(9_900);
    expect(node1.runs).to.have.length(2);
    await ledger.clock.advance(400);
    expect(node1.runs.at(-1)?.attempt).to.equal(3);
  });

  it('Notifier pauses as long after a script that could not be started', async () => {
    ledger.eventOf('a');
    await ledger.clock.advance(300);
    node1.runs[0]?.fail();
    await ledger.clock.advance(4_900);
    expect(node1.runs).to.have.length(1);
    await ledger.clock.advance(400);
    expect(node1.runs.map(({ attempt }) => attempt)).to.deep.equal([1, 2]);
  });

  it('Notifier records a result although its node has not applied the start of the run yet', async () => {
    const event = ledger.eventOf('a');
    const before = ledger.store.restored();
    await ledger.clock.advance(300);
    ledger.lagging = before;
    node1.runs[0]?.exit(0);
    await ledger.clock.advance(0);
    expect(ledger.store.state(event.id)).to.equal('done');
  });

  it('Notifier goes on to record a result while its node lags and nobody leads', async () => {
    const event = ledger.eventOf('a');
    const before = ledger.store.restored();
    await ledger.clock.advance(300);
    ledger.lagging = before;
    ledger.failing = 'NO_LEADER';
    node1.runs[0]?.exit(0);
    await ledger.clock.advance(2_000);
    ledger.failing = null;
    await ledger.clock.advance(1_000);
    expect(ledger.store.state(event.id)).to.equal('done');
    expect(node1.notifier.runningCount).to.equal(0);
  });

  it('Notifier on the next leader keeps the pause before a retry', async () => {
    const node2 = new NotifierNode(ledger, 'node2');
    ledger.eventOf('a');
    await ledger.clock.advance(300);
    node1.runs[0]?.exit(1);
    await ledger.clock.advance(10);
    ledger.leader = node2.node;
    await ledger.clock.advance(4_500);
    expect(node2.runs).to.have.length(0);
    await ledger.clock.advance(800);
    expect(node2.runs.map(({ attempt }) => attempt)).to.deep.equal([2]);
  });

  it('Notifier gives up when the script exits with 100, and after the last attempt', async () => {
    const a = ledger.eventOf('a');
    await ledger.clock.advance(300);
    node1.runs[0]?.exit(100);
    await ledger.clock.advance(0);
    expect(ledger.store.state(a.id)).to.equal('failed');
    ledger.settings = { ...ledger.settings, notifyRetries: 1 };
    const b = ledger.eventOf('b');
    await ledger.clock.advance(300);
    node1.runs[1]?.exit(1);
    await ledger.clock.advance(6_000);
    expect(ledger.store.state(b.id)).to.equal('failed');
    expect(node1.runs).to.have.length(2);
  });

  it('Notifier supersedes what has not run when its reason has reverted', async () => {
    const event = ledger.eventOf('a');
    node1.reverted = true;
    await ledger.clock.advance(300);
    expect(ledger.store.state(event.id)).to.equal('superseded');
    expect(node1.runs).to.deep.equal([]);
  });

  it('Notifier counts attempts by their number, not by how many the ledger has kept', async () => {
    const event = ledger.eventOf('a');
    const follower = (startedAtMs: number) =>
      ({
        kind: 'recordFollowerRun',
        eventId: event.id,
        node: asNodeId('node3'),
        startedAtMs,
        durationMs: 1,
        exitCode: 0,
        signal: null,
        timedOut: false,
        output: '',
      }) as const;
    for (let attempt = 1; attempt <= 3; attempt++) {
      await ledger.clock.advance(61_000);
      expect(node1.runs.at(-1)?.attempt).to.equal(attempt);
      // Enough runs of followers push out all but the last of the leader's.
      for (let i = 0; i < 100; i++) ledger.store.run(follower(attempt * 1_000 + i));
      node1.runs.at(-1)?.exit(attempt === 3 ? 0 : 1);
      await ledger.clock.advance(10);
    }
    expect(ledger.store.state(event.id)).to.equal('done');
  });

  describe('Notifier and the attempt of another node', () => {
    let node2: NotifierNode;
    beforeEach(async () => {
      node2 = new NotifierNode(ledger, 'node2');
      ledger.eventOf('a');
      await ledger.clock.advance(300);
      ledger.leader = node2.node;
    });

    it('Notifier asks the holder first, and leaves the attempt to it while it runs', async () => {
      node2.askHolder = (_holder, id) => Promise.resolve(node1.notifier.isRunning(id));
      await ledger.clock.advance(3_500);
      expect(node2.asked.length).to.be.within(3, 5);
      expect(node2.runs).to.deep.equal([]);
      node1.runs[0]?.exit(0);
      await ledger.clock.advance(2_000);
      expect(ledger.store.machine.openNotifications()).to.deep.equal([]);
      expect(node2.runs).to.deep.equal([]);
    });

    it('Notifier runs it again at once when its holder is gone, as the next attempt', async () => {
      await ledger.clock.advance(600);
      expect(node2.runs.map(({ attempt }) => attempt)).to.deep.equal([2]);
      node2.runs[0]?.exit(0);
      await ledger.clock.advance(10);
      const [event] = ledger.store.machine.events({ limit: 1 });
      expect(event?.notification.state).to.equal('done');
      const attempts = event?.notification.attempts.map(({ node, exitCode }) => [node, exitCode]);
      expect(attempts).to.deep.equal([
        ['node1', null],
        ['node2', 0],
      ]);
    });

    it('Notifier supersedes it when the reason reverted meanwhile: the key must not wait for ever', async () => {
      node2.reverted = true;
      await ledger.clock.advance(600);
      expect(ledger.store.machine.openNotifications()).to.deep.equal([]);
      expect(ledger.store.machine.events({ limit: 1 })[0]?.notification.state).to.equal(
        'superseded',
      );
      expect(node2.runs).to.deep.equal([]);
    });

    it('Notifier lets go of it when the key was deleted: a key made anew waits for no dead node', async () => {
      ledger.store.must(del('a'));
      await ledger.clock.advance(600);
      expect(ledger.store.machine.openNotifications()).to.deep.equal([]);
      expect(node2.runs).to.deep.equal([]);
    });

    it('Notifier runs the only attempt again: a node that died has not tried', async () => {
      ledger.settings = { ...ledger.settings, notifyRetries: 1 };
      await ledger.clock.advance(600);
      expect(node2.runs.map(({ attempt }) => attempt)).to.deep.equal([2]);
    });

    it('Notifier takes an unseen end for final: the late word of its holder changes nothing', async () => {
      await ledger.clock.advance(600);
      node1.runs[0]?.exit(0);
      await ledger.clock.advance(600);
      const [event] = ledger.store.machine.events({ limit: 1 });
      expect(event?.notification.state).to.equal('running');
      expect(event?.notification.attempts[0]?.exitCode).to.equal(null);
      expect(node1.notifier.runningCount).to.equal(0);
    });
  });

  it('Notifier says that it runs an attempt from the moment it proposes it', async () => {
    const event = ledger.eventOf('a');
    const answers = deferred<undefined>();
    ledger.holdAnswers = answers.promise;
    await ledger.clock.advance(300);
    expect(ledger.store.state(event.id)).to.equal('running');
    expect(node1.runs, 'its proposer does not know yet').to.deep.equal([]);
    expect(node1.notifier.isRunning(event.id)).to.equal(true);
    answers.resolve(undefined);
    ledger.holdAnswers = null;
    await ledger.clock.advance(0);
    expect(node1.runs).to.have.length(1);
  });

  it('Notifier takes an attempt of its own earlier life for ended', async () => {
    const event = ledger.eventOf('a');
    await ledger.clock.advance(300);
    node1.notifier.stop();
    const again = new NotifierNode(ledger);
    await ledger.clock.advance(600);
    expect(again.asked).to.deep.equal([]);
    expect(again.runs.map(({ attempt }) => attempt)).to.deep.equal([2]);
    expect(ledger.attemptsOf(event)).to.have.length(2);
  });

  it('Notifier keeps to sixteen at once, and none uses up attempts while it waits', async () => {
    const events = Array.from({ length: 40 }, (_, i) => ledger.eventOf(`k${i}`));
    await ledger.clock.advance(5_000);
    expect(node1.runs).to.have.length(16);
    for (let done = 0; done < 40; done++) {
      node1.runs[done]?.exit(0);
      await ledger.clock.advance(0);
    }
    expect(node1.runs.map(({ attempt }) => attempt)).to.deep.equal(Array(40).fill(1));
    for (const { id } of events) expect(ledger.store.state(id)).to.equal('done');
  });

  it('Notifier runs the events of one key in order', async () => {
    const down = ledger.eventOf('a');
    const { store } = ledger;
    const empty = store.must(store.recordEvent('a', { from: 'DOWN', to: 'EMPTY' }));
    await ledger.clock.advance(2_000);
    expect(node1.runs.map(({ event }) => event.id)).to.deep.equal([down.id]);
    node1.runs[0]?.exit(0);
    await ledger.clock.advance(10);
    expect(node1.runs.map(({ event }) => event.id)).to.deep.equal([down.id, empty]);
  });

  it('Notifier brings a result to the ledger through failures, and drops none', async () => {
    const event = ledger.eventOf('a');
    await ledger.clock.advance(300);
    ledger.failing = 'NO_LEADER';
    node1.runs[0]?.exit(0);
    await ledger.clock.advance(30_000);
    expect(ledger.store.state(event.id)).to.equal('running');
    expect(node1.notifier.isRunning(event.id)).to.equal(true);
    ledger.failing = null;
    await ledger.clock.advance(600);
    expect(ledger.store.state(event.id)).to.equal('done');
  });

  it('Notifier goes on later when a script or a commit fails', async () => {
    ledger.eventOf('a');
    ledger.failing = 'NO_LEADER';
    await ledger.clock.advance(1_000);
    ledger.failing = null;
    await ledger.clock.advance(300);
    node1.runs[0]?.refuse(new QuorateError('OVERLOADED', 'no slot'));
    await ledger.clock.advance(2_000);
    expect(node1.runs.map(({ attempt }) => attempt)).to.deep.equal([1, 2]);
    expect(ledger.logger.at('warn')).to.include(
      'Cannot go on with the notification of event 3 yet',
    );
  });
});
