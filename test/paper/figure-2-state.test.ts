import { expect } from 'chai';
import type { RaftOutput } from '../../src/raft/index.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { entry, peer } from '../support/raft-fixtures.ts';
import {
  acknowledge,
  append,
  heartbeat,
  messagesOf,
  persistAll,
  receive,
  voteRequest,
} from '../support/raft-messages.ts';
import {
  appendsTo,
  beginCampaign,
  coreOf,
  leaderOf,
  progressOf,
  propose,
  readyLeaderOf,
  threeVoters,
  wait,
  win,
} from '../support/raft-roles.ts';

const fromB = { from: 'b', to: 'a', term: 3 };

describe('Raft figure 2: state', () => {
  it('currentTerm is 0 at the first boot and only ever grows', () => {
    const core = coreOf();
    const terms = [core.view.term as number];
    for (const term of [2, 1, 5, 3]) {
      receive(core, heartbeat({ ...fromB, term }));
      terms.push(core.view.term);
    }
    beginCampaign(core);
    terms.push(core.view.term);
    expect(terms).to.deep.equal([0, 2, 2, 5, 5, 6]);
  });

  it('votedFor is nobody at the first boot, and nobody again in each new term', () => {
    const core = coreOf();
    receive(core, voteRequest({ ...fromB, term: 1 }, { term: 0, index: 0 }));
    const moved = receive(core, heartbeat({ from: 'c', to: 'a', term: 2 }));
    expect(moved.persist?.hardState).to.deep.equal({ term: 2, vote: null });
  });

  it('term and vote are one record, written before the answer that depends on them', () => {
    const output = receive(coreOf(), voteRequest(fromB, { term: 0, index: 0 }));
    expect(output.persist?.hardState).to.deep.equal({ term: 3, vote: peer('b') });
    expect(output.messagesNow).to.deep.equal([]);
    expect(messagesOf(output, 'voteResponse')).to.have.length(1);
    expect(output.afterSequence).to.equal(output.persist?.sequence);
  });

  it('a term that an append brings is written together with its entries', () => {
    const output = receive(coreOf(), append(fromB, { term: 0, index: 0 }, [entry(1, 3)]));
    expect(output.persist).to.deep.include({
      hardState: { term: 3, vote: null },
      entries: [entry(1, 3)],
    });
  });

  it('log[] begins at index 1, and each entry has the term in which its leader received it', () => {
    const core = coreOf();
    const led = win(core);
    const proposed = propose(core, 'x');
    const entries = [...(led.persist?.entries ?? []), ...(proposed.persist?.entries ?? [])];
    expect(entries.map(({ index, term }) => [index, term])).to.deep.equal([
      [1, 1],
      [2, 1],
    ]);
  });

  it('commitIndex begins at what was applied before the restart, not at the end of the log', () => {
    const core = coreOf({ terms: [1, 1, 1], applied: 2 });
    expect(core.view).to.deep.include({ commitIndex: 2, appliedIndex: 2, lastIndex: 3 });
  });

  it('commitIndex never goes back, whatever a later message says', () => {
    const core = coreOf({ terms: [1, 1, 1] });
    receive(core, heartbeat(fromB, 3));
    receive(core, heartbeat(fromB, 1));
    receive(core, append(fromB, { term: 1, index: 3 }, [], 2));
    expect(core.view.commitIndex).to.equal(3);
  });

  it('lastApplied follows what was handed out, and cannot overtake it', () => {
    const core = coreOf({ terms: [1, 1, 1] });
    expect(receive(core, heartbeat(fromB, 2)).commitIndex).to.equal(2);
    expect(core.view.appliedIndex).to.equal(0);
    core.step({ kind: 'applied', index: core.view.commitIndex });
    expect(core.view.appliedIndex).to.equal(2);
    const beyond = core.view.lastIndex;
    expect(() => core.step({ kind: 'applied', index: beyond })).to.throw(/must be released/);
  });

  it('nextIndex begins behind the leader’s last entry: that is where the first append probes', () => {
    const led = win(coreOf({ terms: [1, 1, 2] }));
    expect(appendsTo(led, 'b')).to.deep.equal([[3, 4]]);
    expect(appendsTo(led, 'c')).to.deep.equal([[3, 4]]);
  });

  it('matchIndex begins at 0 for every peer, however long the log is', () => {
    const core = leaderOf({ terms: [1, 1, 2] });
    expect(core.view.peers.map(({ matchIndex }) => matchIndex)).to.deep.equal([0, 0]);
    receive(core, acknowledge({ from: 'b', to: 'a', term: 3 }, 4));
    expect(progressOf(core, 'b').matchIndex).to.equal(4);
  });

  it('nextIndex and matchIndex are made anew by each election: an old leader’s are worth nothing', () => {
    const core = readyLeaderOf();
    expect(progressOf(core, 'b').matchIndex).to.equal(1);
    receive(core, heartbeat({ ...fromB, term: 2 }));
    expect(core.view.peers).to.deep.equal([]);
    win(core);
    expect(core.view.peers.map(({ matchIndex }) => matchIndex)).to.deep.equal([0, 0]);
  });

  it('volatile state dies with the process; term, vote and log do not (also 5.1: starts as follower)', () => {
    const cluster = new RaftCluster({ configuration: threeVoters, nodes: 'a b c' });
    const leader = cluster.elect('a');
    cluster.propose(leader, 'x');
    cluster.run(100);
    const { term } = leader.view;
    leader.crash();
    leader.restart();
    expect(leader.view).to.deep.include({ role: 'follower', leader: null, term, lastIndex: 2 });
    expect(leader.view).to.deep.include({ commitIndex: 0, appliedIndex: 0 });
    const asked = voteRequest({ from: 'c', to: 'a', term }, { term, index: 9 });
    const [answer] = messagesOf(leader.step({ kind: 'message', message: asked }), 'voteResponse');
    expect(answer?.granted, 'a voted for itself in this term').to.equal(false);
  });

  it('what is not durable is not counted, by anybody (entries of the own log included)', () => {
    const core = readyLeaderOf();
    const written = propose(core, 'x');
    receive(core, acknowledge({ from: 'b', to: 'a', term: 1 }, 2));
    const onItsOwn: RaftOutput[] = wait(core, 40);
    expect(onItsOwn.map(({ commitIndex }) => commitIndex)).to.deep.equal([null, null, null, null]);
    expect(core.view.commitIndex).to.equal(1);
    persistAll(core, written);
    expect(core.view.commitIndex).to.equal(2);
  });
});
