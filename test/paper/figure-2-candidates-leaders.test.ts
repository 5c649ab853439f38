import { expect } from 'chai';
import { utf8 } from '../../src/shared/index.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { peer, textOf } from '../support/raft-fixtures.ts';
import {
  acknowledge,
  append,
  messagesOf,
  persistAll,
  receive,
  tickUntil,
  voteResponse,
} from '../support/raft-messages.ts';
import {
  appendsTo,
  beginCampaign,
  candidateOf,
  coreOf,
  fiveVoters,
  leaderOf,
  progressOf,
  propose,
  readyLeaderOf,
  threeVoters,
  tick,
  wait,
  win,
} from '../support/raft-roles.ts';

const toA = { to: 'a', term: 1 };

describe('Raft figure 2: candidates', () => {
  it('a campaign raises the term by one, votes for itself and asks all others, in one step', () => {
    const core = coreOf({ configuration: fiveVoters, hardState: { term: 6, vote: 'd' } });
    const begun = beginCampaign(core);
    expect(core.view).to.deep.include({ role: 'candidate', term: 7 });
    expect(begun.persist?.hardState).to.deep.equal({ term: 7, vote: peer('a') });
    const asked = messagesOf(begun, 'voteRequest').map(({ to, term }) => [to, term]);
    expect(asked).to.deep.equal(['b', 'c', 'd', 'e'].map((name) => [peer(name), 7]));
  });

  it('nobody is asked before the candidate’s term and own vote are durable', () => {
    const begun = beginCampaign(coreOf());
    expect(begun.messagesNow).to.deep.equal([]);
    expect(begun.afterSequence).to.equal(begun.persist?.sequence);
  });

  it('votes of a majority make a leader, the own one counting when it is durable', () => {
    const core = coreOf();
    const begun = beginCampaign(core);
    receive(core, voteResponse({ from: 'b', ...toA }, true));
    expect(core.view.role).to.equal('candidate');
    persistAll(core, begun);
    expect(core.view.role).to.equal('leader');
  });

  it('of five, two votes are not enough, and one voter who says yes twice is one', () => {
    const core = candidateOf({ configuration: fiveVoters });
    receive(core, voteResponse({ from: 'b', ...toA }, true));
    receive(core, voteResponse({ from: 'b', ...toA }, true));
    expect(core.view.role).to.equal('candidate');
    receive(core, voteResponse({ from: 'e', ...toA }, true));
    expect(core.view.role).to.equal('leader');
  });

  it('votes of an earlier term, of strangers and of other incarnations count for nothing', () => {
    const core = candidateOf({ hardState: { term: 3, vote: null } });
    receive(core, voteResponse({ from: 'b', to: 'a', term: 3 }, true));
    receive(core, voteResponse({ from: 'z', to: 'a', term: 4 }, true));
    receive(core, voteResponse({ from: 'b2', to: 'a', term: 4 }, true));
    expect(core.view.role).to.equal('candidate');
  });

  it('an append of the same term means that somebody won: the candidate follows, in that term', () => {
    const core = candidateOf();
    receive(core, append({ from: 'c', ...toA }, { term: 0, index: 0 }, []));
    expect(core.view).to.deep.include({ role: 'follower', leader: peer('c'), term: 1 });
  });

  it('an append of an earlier term is refused, and the campaign goes on', () => {
    const core = candidateOf({ hardState: { term: 3, vote: null } });
    receive(core, append({ from: 'c', to: 'a', term: 3 }, { term: 0, index: 0 }, []));
    expect(core.view).to.deep.include({ role: 'candidate', term: 4 });
  });

  it('a campaign without an outcome is followed by another, in a later term', () => {
    const core = candidateOf();
    tickUntil(core, ({ change }) => change?.role === 'preCandidate');
    receive(core, voteResponse({ from: 'b', to: 'a', term: 2 }, true, true));
    expect(core.view).to.deep.include({ role: 'candidate', term: 2 });
  });

  it('a split vote is settled by the next elections: timeouts are drawn anew each time', () => {
    const cluster = new RaftCluster({ configuration: fiveVoters, nodes: 'a b c d e', seed: 7 });
    // All time out together, so everybody stands at once.
    for (const node of cluster.nodes.values()) {
      for (let i = 0; i < 6; i++) node.step({ kind: 'tick', elapsedMs: 100 });
    }
    cluster.runUntil(() => cluster.leaders.length === 1, 5_000);
    cluster.run(500);
    expect(new Set(cluster.live.map(({ view }) => view.leader)).size).to.equal(1);
  });
});

describe('Raft figure 2: leaders', () => {
  it('the first thing a leader says to everybody is an append, and it carries its no-op', () => {
    const led = win(coreOf());
    expect(led.persist?.entries.map(({ kind }) => kind)).to.deep.equal(['noop']);
    expect(messagesOf(led, 'appendRequest').map(({ to }) => to)).to.deep.equal([
      peer('b'),
      peer('c'),
    ]);
    expect(led.messagesNow.length, 'beside its own disk write').to.equal(2);
  });

  it('an idle leader speaks in every heartbeat interval, so that nobody times out', () => {
    const core = readyLeaderOf();
    for (let interval = 0; interval < 4; interval++) {
      const said = wait(core, 50).flatMap(({ messagesNow }) => messagesNow);
      expect(new Set(said.map(({ to }) => to))).to.deep.equal(new Set([peer('b'), peer('c')]));
    }
  });

  it('a command is appended to the own log first and handed out only when it is committed', () => {
    const core = readyLeaderOf();
    const written = propose(core, 'x');
    expect(written.persist?.entries.map(textOf)).to.deep.equal(['x']);
    expect(written.replies[0]).to.deep.include({ kind: 'appended', index: 2, term: 1 });
    expect(written.commitIndex).to.equal(null);
    expect(persistAll(core, written).commitIndex).to.equal(null);
    const committed = receive(core, acknowledge({ from: 'c', ...toA }, 2));
    expect(committed.commitIndex).to.equal(2);
  });

  it('a follower is sent what follows its nextIndex, and nothing that it was sent before', () => {
    const core = readyLeaderOf();
    expect(appendsTo(propose(core, 'x', 'y'), 'b')).to.deep.equal([[1, 3]]);
    expect(appendsTo(propose(core, 'z'), 'b')).to.deep.equal([[3, 4]]);
  });

  it('a success moves matchIndex to what was proved, never back', () => {
    const core = readyLeaderOf();
    propose(core, 'x', 'y');
    receive(core, acknowledge({ from: 'b', ...toA }, 3));
    receive(core, acknowledge({ from: 'b', ...toA }, 2));
    expect(progressOf(core, 'b').matchIndex).to.equal(3);
  });

  it('a rejection moves nextIndex back, and the append is tried again at once', () => {
    const core = leaderOf({ terms: [1, 1, 1] });
    const rejection = {
      ...acknowledge({ from: 'b', to: 'a', term: 2 }, 3),
      ...{ success: false, hintIndex: 1 as never, hintTerm: 1 as never },
    };
    expect(appendsTo(receive(core, rejection), 'b')).to.deep.equal([[1, 4]]);
  });

  it('a majority’s matchIndex in the own term commits, and the slowest is not waited for', () => {
    const core = readyLeaderOf({ configuration: fiveVoters });
    persistAll(core, propose(core, 'x', 'y'));
    receive(core, acknowledge({ from: 'b', ...toA }, 3));
    expect(core.view.commitIndex).to.equal(1);
    receive(core, acknowledge({ from: 'e', ...toA }, 2));
    expect(core.view.commitIndex).to.equal(2);
    receive(core, acknowledge({ from: 'e', ...toA }, 3));
    expect(core.view.commitIndex).to.equal(3);
  });

  it('entries of earlier terms are not committed by counting, only by one of the own (5.4.2)', () => {
    const core = leaderOf({ terms: [1, 2, 2] });
    for (const from of ['b', 'c']) receive(core, acknowledge({ from, to: 'a', term: 3 }, 3));
    expect(core.view.commitIndex).to.equal(0);
    receive(core, acknowledge({ from: 'b', to: 'a', term: 3 }, 4));
    expect(core.view.commitIndex).to.equal(4);
  });

  it('what a peer claims to hold beyond the leader’s log is not believed', () => {
    const core = readyLeaderOf();
    persistAll(core, propose(core, 'x'));
    receive(core, acknowledge({ from: 'b', ...toA }, 9));
    expect(core.view.commitIndex).to.equal(1);
  });

  it('a leader never replaces entries of its own log: a second leader of its term stops it (figure 3)', () => {
    const core = readyLeaderOf();
    const rival = append({ from: 'b', ...toA }, { term: 0, index: 0 }, []);
    expect(() => receive(core, rival)).to.throw(/must not lead term 1 beside/);
    const older = readyLeaderOf({ terms: [1, 1] });
    receive(older, append({ from: 'b', to: 'a', term: 1 }, { term: 0, index: 0 }, []));
    expect(older.view).to.deep.include({ role: 'leader', lastIndex: 3 });
  });

  it('a follower that is away is tried for ever, and gets everything when it is back (5.3)', () => {
    const cluster = new RaftCluster({ configuration: threeVoters, nodes: 'a b c' });
    const leader = cluster.elect('a');
    cluster.node('b').crash();
    for (let i = 0; i < 10; i++) {
      cluster.propose(leader, `${i}`);
      cluster.run(500);
    }
    cluster.node('b').restart();
    cluster.run(200);
    expect(cluster.node('b').view).to.deep.include({ commitIndex: 11, role: 'follower' });
  });

  it('a leader that is replaced takes no more commands, and says who leads', () => {
    const core = readyLeaderOf();
    receive(core, append({ from: 'c', to: 'a', term: 2 }, { term: 1, index: 1 }, []));
    const proposals = [{ tag: 9, payload: utf8('late') }];
    const { replies, persist } = core.step({ kind: 'propose', proposals });
    expect(replies[0]).to.deep.include({ reason: 'notLeader', leader: peer('c') });
    expect(persist).to.equal(null);
    expect(tick(core, 10).messagesNow).to.deep.equal([]);
  });
});
