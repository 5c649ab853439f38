import { expect } from 'chai';
import type { RaftCore, RaftMessage } from '../../src/raft/index.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { entry, peer } from '../support/raft-fixtures.ts';
import {
  acknowledge,
  append,
  heartbeat,
  messagesOf,
  persistAll,
  pulse,
  receive,
  tickUntil,
  voteRequest,
  voteResponse,
} from '../support/raft-messages.ts';
import { candidateOf, coreOf, leaderOf, threeVoters, tick, wait } from '../support/raft-roles.ts';

const fromB = { from: 'b', to: 'a', term: 9 };
const origin = { term: 0, index: 0 };

describe('Raft figure 2: all servers', () => {
  it('committed entries are applied one by one, in the order of the log, each once', () => {
    const cluster = new RaftCluster({ configuration: threeVoters, nodes: 'a b c' });
    const applied: number[] = [];
    cluster.onReleased = (node, entries) => {
      if (node.id === peer('b')) applied.push(...entries.map(({ index }) => index as number));
    };
    const leader = cluster.elect('a');
    for (let i = 0; i < 20; i++) {
      cluster.propose(leader, `${i}`);
      if (i % 3 === 0) cluster.run(20);
    }
    cluster.run(200);
    expect(applied).to.deep.equal(Array.from({ length: 21 }, (_, i) => i + 1));
  });

  const bringers: readonly [name: string, role: () => RaftCore, message: RaftMessage][] = [
    ['an append', coreOf, append(fromB, origin, [])],
    ['a heartbeat', candidateOf, heartbeat(fromB)],
    ['a vote request', candidateOf, voteRequest(fromB, origin)],
    ['a vote answer', candidateOf, voteResponse(fromB, false)],
    ['an append', leaderOf, append(fromB, origin, [])],
    ['an append answer', leaderOf, { ...acknowledge(fromB, 1), success: false }],
    ['a heartbeat answer', leaderOf, pulse(fromB)],
  ];
  for (const [name, role, message] of bringers) {
    const from = role().view.role;
    it(`${name} with a later term makes a ${from} a follower in that term (5.1)`, () => {
      const core = role();
      const output = receive(core, message);
      expect(core.view).to.deep.include({ role: 'follower', term: 9 });
      expect(output.persist?.hardState?.term).to.equal(9);
    });
  }

  it('an answer of an earlier term counts for nothing (5.1)', () => {
    const core = leaderOf({ terms: [1, 1] });
    receive(core, acknowledge({ from: 'b', to: 'a', term: 1 }, 3));
    expect(core.view.commitIndex).to.equal(0);
    expect(core.view.peers.map(({ matchIndex }) => matchIndex)).to.deep.equal([0, 0]);
  });

  it('giving up in the same term forgets no vote', () => {
    const core = coreOf({ hardState: { term: 3, vote: 'b' } });
    tickUntil(core, ({ change }) => change?.role === 'preCandidate');
    for (const from of ['b', 'c'])
      receive(core, voteResponse({ from, to: 'a', term: 3 }, false, true));
    expect(core.view).to.deep.include({ role: 'follower', term: 3 });
    const asked = voteRequest({ from: 'c', to: 'a', term: 3 }, { term: 3, index: 9 });
    expect(messagesOf(receive(core, asked), 'voteResponse')[0]?.granted).to.equal(false);
  });
});

describe('Raft figure 2: followers', () => {
  it('they only answer: until the election timeout they say nothing by themselves (5.2)', () => {
    const core = coreOf();
    for (const output of wait(core, 240)) {
      expect([...output.messagesNow, ...output.messagesAfterPersist]).to.deep.equal([]);
      expect(output.persist).to.equal(null);
    }
  });

  it('without a leader or a vote given for a timeout, they stand for election (by way of 9.6)', () => {
    const core = coreOf();
    tickUntil(core, ({ change }) => change?.role === 'preCandidate', 500);
    expect(core.view.term).to.equal(0);
  });

  it('each append and heartbeat of the present leader starts the timeout again', () => {
    const core = coreOf();
    for (let i = 0; i < 20; i++) {
      receive(core, i % 2 === 0 ? heartbeat(fromB) : append(fromB, origin, []));
      wait(core, 240);
    }
    expect(core.view).to.deep.include({ role: 'follower', leader: peer('b') });
  });

  it('an append of an earlier term starts nothing again: that leader is none', () => {
    const core = coreOf({ hardState: { term: 9, vote: null } });
    for (let i = 0; i < 10 && core.view.role === 'follower'; i++) {
      receive(core, append({ ...fromB, term: 8 }, origin, [entry(1, 8)]));
      wait(core, 100);
    }
    expect(core.view.role).to.equal('preCandidate');
  });

  it('client requests are refused with the name of the leader (thesis 6.2)', () => {
    const core = coreOf();
    receive(core, heartbeat(fromB));
    for (const request of [
      { kind: 'propose', proposals: [{ tag: 1, payload: new Uint8Array() }] },
      { kind: 'transfer', tag: 1, to: null },
    ] as const) {
      const [reply] = core.step(request).replies;
      expect(reply).to.deep.include({ reason: 'notLeader', leader: peer('b') });
    }
  });

  it('a process that stood still has not waited: one long tick deposes nobody', () => {
    const core = coreOf();
    receive(core, heartbeat(fromB));
    tick(core, 60_000);
    expect(core.view).to.deep.include({ role: 'follower', leader: peer('b') });
    persistAll(core, tick(core, 60_000));
    expect(core.view.role).to.equal('follower');
  });
});
