import { expect } from 'chai';
import { Farewell } from '../../../src/node/farewell.ts';
import type { Configuration, Reply } from '../../../src/raft/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, peer } from '../../support/raft-fixtures.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { LinesLogger, stateOf } from './support.ts';

const transferred: Reply = { kind: 'transferred', tag: 1 };
const refused: Reply = {
  kind: 'refused',
  tag: 1,
  reason: 'abandoned',
  leader: null,
  message: 'Cannot transfer leadership: b@1 did not take it in time',
};

/** A leader that says farewell; the test plays what answers its transfers. */
class Leaver {
  readonly clock = new VirtualClock();
  readonly logger = new LinesLogger();
  readonly self = peer('a');
  configuration: Configuration = configurationOf('a b c');
  isLeader = true;
  transfers = 0;
  /** In the order in which things ended. */
  readonly ended: string[] = [];
  answer: (attempt: number) => Promise<Reply> = () => Promise.resolve(transferred);

  transfer(): Promise<Reply> {
    return this.answer(++this.transfers);
  }

  stop(): Promise<void> {
    this.ended.push('replica');
    return Promise.resolve();
  }

  say(): Promise<void> {
    return new Farewell({
      clock: this.clock,
      logger: this.logger,
      replica: this,
      gossip: { leave: () => this.ended.push('gossip'), stop: () => undefined },
      watching: { notificationsRunning: 0 },
      notifyTimeoutMs: () => 1_000,
    }).say(Promise.resolve());
  }
}

describe('Farewell', () => {
  it('say tries again when a transfer of leadership is refused, then goes on', async () => {
    const leaver = new Leaver();
    leaver.answer = (attempt) => Promise.resolve(attempt === 1 ? refused : transferred);
    const said = leaver.say();
    await leaver.clock.advance(1_000);
    expect(await stateOf(said)).to.equal(undefined);
    expect(leaver.transfers).to.equal(2);
    expect(leaver.ended).to.deep.equal(['gossip', 'replica']);
    expect(leaver.logger.at('info')).to.deep.equal(['Handed leadership over']);
    expect(leaver.logger.at('warn')).to.deep.equal([]);
  });

  it('say goes on after 2 s of refusals, or without any answer, and says so', async () => {
    for (const [answer, found] of [
      [() => Promise.resolve(refused), 'Cannot transfer leadership: b@1 did not take it in time'],
      [() => new Promise<Reply>(() => undefined), 'no answer'],
    ] as const) {
      const leaver = new Leaver();
      leaver.answer = answer;
      const said = leaver.say();
      await leaver.clock.advance(1_900);
      expect(leaver.ended).to.deep.equal([]);
      await leaver.clock.advance(1_000);
      expect(await stateOf(said)).to.equal(undefined);
      const lines = [`Stopping without handing leadership over: ${found}`];
      expect(leaver.logger.at('warn')).to.deep.equal(lines);
    }
  });

  it('say tries no further once the node does not lead any more', async () => {
    const leaver = new Leaver();
    leaver.answer = () => {
      leaver.isLeader = false;
      return Promise.resolve(refused);
    };
    const said = leaver.say();
    await leaver.clock.advance(1_000);
    expect(await stateOf(said)).to.equal(undefined);
    expect(leaver.transfers).to.equal(1);
  });

  it('say asks nobody to lead where no other voter is', async () => {
    const leaver = new Leaver();
    leaver.configuration = configurationOf('a', '', 'd');
    const said = leaver.say();
    await leaver.clock.advance(1_000);
    expect(await stateOf(said)).to.equal(undefined);
    expect(leaver.transfers).to.equal(0);
  });

  it('say of a leader makes a voter lead by its order, before any timer of an election', async () => {
    const cluster = new RaftCluster({ configuration: configurationOf('a b c'), nodes: 'a b c' });
    const leader = cluster.elect('a');
    cluster.run(100);
    const leaver = new Leaver();
    leaver.answer = () => {
      const tag = cluster.transfer(leader, null);
      // Not a moment passes for the nodes: no timer can have brought the successor about.
      cluster.deliver();
      return Promise.resolve(cluster.replyTo(leader, tag) ?? refused);
    };
    const said = leaver.say();
    await leaver.clock.advance(1_000);
    expect(await stateOf(said)).to.equal(undefined);
    expect(cluster.leader.id).to.not.equal(peer('a'));
    expect(leaver.logger.at('info')).to.deep.equal(['Handed leadership over']);
  });
});
