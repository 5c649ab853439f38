import { expect } from 'chai';
import { QuorateError } from '../../../../src/shared/index.ts';
import { deferred } from '../support.ts';
import { Ledger, NotifierNode } from './harness.ts';

describe('Notifier at its ends', () => {
  let ledger: Ledger;
  let node1: NotifierNode;
  beforeEach(() => {
    ledger = new Ledger();
    node1 = new NotifierNode(ledger);
  });

  describe('Notifier that stops', () => {
    it('Notifier starts nothing more', async () => {
      ledger.eventOf('a');
      node1.notifier.stop();
      await ledger.clock.advance(5_000);
      expect(node1.runs).to.deep.equal([]);
    });

    it('Notifier does not start a script whose attempt was committed while it stopped', async () => {
      ledger.eventOf('a');
      const answers = deferred<undefined>();
      ledger.holdAnswers = answers.promise;
      await ledger.clock.advance(300);
      node1.notifier.stop();
      answers.resolve(undefined);
      await ledger.clock.advance(300);
      expect(node1.runs).to.deep.equal([]);
      expect(node1.notifier.runningCount).to.equal(0);
    });

    it('Notifier lets what runs end and records it', async () => {
      const event = ledger.eventOf('a');
      await ledger.clock.advance(300);
      node1.notifier.stop();
      expect(node1.notifier.runningCount).to.equal(1);
      node1.runs[0]?.exit(0);
      await ledger.clock.advance(10);
      expect(ledger.store.state(event.id)).to.equal('done');
      expect(node1.notifier.runningCount).to.equal(0);
    });

    it('Notifier does not hold up the stop when no leader takes the result', async () => {
      ledger.eventOf('a');
      await ledger.clock.advance(300);
      node1.notifier.stop();
      ledger.failing = 'UNKNOWN_OUTCOME';
      node1.runs[0]?.exit(0);
      await ledger.clock.advance(10);
      expect(node1.notifier.runningCount).to.equal(0);
    });

    it('Notifier records no run that the stop cut off: it goes on without its daemon', async () => {
      ledger.eventOf('a');
      await ledger.clock.advance(300);
      node1.notifier.stop();
      node1.runs[0]?.lose();
      await ledger.clock.advance(10);
      expect(ledger.committed.map(({ kind }) => kind)).to.deep.equal(['startAttempt']);
    });
  });

  describe('Notifier as follower', () => {
    it('Notifier records its own run beside the tracked one', async () => {
      const event = ledger.eventOf('a');
      ledger.leader = null;
      void node1.notifier.runAsFollower(event);
      expect(node1.notifier.runningCount).to.equal(1);
      node1.runs[0]?.exit(3);
      await ledger.clock.advance(10);
      expect(ledger.attemptsOf(event)).to.deep.include({
        attempt: 1,
        node: node1.node,
        role: 'follower',
        startedAtMs: 0,
        durationMs: 7,
        exitCode: 3,
        signal: null,
        timedOut: false,
        output: 'out',
      });
      expect(ledger.store.state(event.id)).to.equal('pending');
      expect(node1.notifier.runningCount).to.equal(0);
    });

    it('Notifier says when a follower run cannot be recorded, and starts none once it stops', async () => {
      const event = ledger.eventOf('a');
      ledger.leader = null;
      void node1.notifier.runAsFollower(event);
      node1.runs[0]?.refuse(new QuorateError('OVERLOADED', 'no slot'));
      await ledger.clock.advance(10);
      expect(ledger.logger.at('warn')).to.deep.equal(['Cannot record the follower run of event 3']);
      node1.notifier.stop();
      await node1.notifier.runAsFollower(event);
      expect(node1.runs).to.have.length(1);
    });
  });
});
