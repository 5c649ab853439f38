import { expect } from 'chai';
import { asTerm } from '../../src/shared/index.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { configurationOf, peer } from '../support/raft-fixtures.ts';
import {
  acknowledge,
  heartbeat,
  messagesOf,
  receive,
  voteRequest,
} from '../support/raft-messages.ts';
import {
  appendsTo,
  coreOf,
  propose,
  readyLeaderOf,
  threeVoters,
  tick,
  wait,
} from '../support/raft-roles.ts';

const transfer = (core: ReturnType<typeof coreOf>, to: string): ReturnType<typeof propose> =>
  core.step({ kind: 'transfer', tag: 7, to: peer(to) });

const timeoutNow = { kind: 'timeoutNow', from: peer('b'), to: peer('a'), term: asTerm(1) } as const;

describe('Thesis 3.10: leadership transfer', () => {
  it('step 1: the leader takes no new commands while it hands over', () => {
    const core = readyLeaderOf();
    transfer(core, 'b');
    expect(propose(core, 'x').replies[0]).to.deep.include({ kind: 'refused', reason: 'busy' });
  });

  it('step 2: the target is brought up to date first, and not told to go before', () => {
    const core = readyLeaderOf();
    expect(appendsTo(propose(core, 'x'), 'b')).to.deep.equal([[1, 2]]);
    expect(messagesOf(transfer(core, 'b'), 'timeoutNow')).to.deep.equal([]);
    const answered = receive(core, acknowledge({ from: 'b', to: 'a', term: 1 }, 2));
    expect(messagesOf(answered, 'timeoutNow').map(({ to }) => to)).to.deep.equal([peer('b')]);
  });

  it('step 3: a target that has everything is told at once', () => {
    expect(messagesOf(transfer(readyLeaderOf(), 'c'), 'timeoutNow')[0]?.to).to.equal(peer('c'));
  });

  it('the target stands at once: no timeout, no pre-vote, in the next term', () => {
    const core = coreOf();
    receive(core, heartbeat({ from: 'b', to: 'a', term: 1 }));
    const output = receive(core, timeoutNow);
    expect(core.view).to.deep.include({ role: 'candidate', term: 2 });
    const requests = messagesOf(output, 'voteRequest');
    expect(requests).to.have.length(2);
    for (const each of requests) expect(each).to.deep.include({ preVote: false, transfer: true });
  });

  it('its vote requests count even where the old leader is still heard (4.2.3), others’ do not', () => {
    for (const wanted of [true, false]) {
      const core = coreOf();
      receive(core, heartbeat({ from: 'b', to: 'a', term: 1 }));
      const origin = { term: 0, index: 0 };
      const asked = voteRequest({ from: 'c', to: 'a', term: 2 }, origin, { transfer: wanted });
      expect(messagesOf(receive(core, asked), 'voteResponse')[0]?.granted).to.equal(wanted);
    }
  });

  it('the transfer is done when the target leads, and the old leader follows it', () => {
    const cluster = new RaftCluster({ configuration: threeVoters, nodes: 'a b c' });
    const leader = cluster.elect('a');
    cluster.run(100);
    const tag = cluster.transfer(leader, 'b');
    cluster.deliver();
    expect(cluster.replyTo(leader, tag)).to.deep.equal({ kind: 'transferred', tag });
    expect(leader.view).to.deep.include({ role: 'follower', leader: peer('b') });
  });

  it('after an election timeout the leader gives up and takes commands again', () => {
    const core = readyLeaderOf();
    transfer(core, 'b');
    const replies = wait(core, 240).flatMap((output) => output.replies);
    expect(replies).to.deep.equal([]);
    receive(core, acknowledge({ from: 'c', to: 'a', term: 1 }, 1));
    expect(tick(core, 10).replies[0]).to.deep.include({ kind: 'refused', reason: 'abandoned' });
    expect(propose(core, 'x').replies[0]?.kind).to.equal('appended');
  });

  it('leadership goes to voters only: no learner, no observer, no stranger', () => {
    const core = readyLeaderOf({ configuration: configurationOf('a b c', 'd', 'e') });
    for (const to of ['d', 'e', 'z']) {
      expect(transfer(core, to).replies[0]).to.deep.include({ reason: 'invalid' });
    }
    const learner = coreOf({ configuration: configurationOf('b c', 'a') });
    receive(learner, timeoutNow);
    expect(learner.view.role).to.equal('follower');
  });

  it('a target that is silent for an election timeout is refused, and commands go on', () => {
    const core = readyLeaderOf();
    for (let passed = 0; passed < 250; passed += 10) {
      receive(core, acknowledge({ from: 'c', to: 'a', term: 1 }, 1));
      tick(core, 10);
    }
    const output = transfer(core, 'b');
    expect(output.replies[0]).to.deep.include({ kind: 'refused', reason: 'unreachable' });
    expect(messagesOf(output, 'timeoutNow')).to.deep.equal([]);
    expect(propose(core, 'x').replies[0]?.kind).to.equal('appended');
    expect(messagesOf(transfer(core, 'c'), 'timeoutNow')).to.deep.equal([]);
    expect(propose(core, 'y').replies[0]).to.deep.include({ reason: 'busy' });
  });

  it('a late order of an earlier term starts nothing', () => {
    const core = coreOf({ hardState: { term: 5, vote: null } });
    receive(core, timeoutNow);
    expect(core.view).to.deep.include({ role: 'follower', term: 5 });
  });
});
