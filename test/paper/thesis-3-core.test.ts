import { expect } from 'chai';
import { raftSettingsFor } from '../../src/raft/index.ts';
import { asTerm } from '../../src/shared/index.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { entry, peer, testSettings } from '../support/raft-fixtures.ts';
import { acknowledge, append, messagesOf, persistAll, receive } from '../support/raft-messages.ts';
import {
  appendsTo,
  coreOf,
  fiveVoters,
  leaderOf,
  progressOf,
  propose,
  threeVoters,
  tick,
  wait,
} from '../support/raft-roles.ts';

const terms = (...runs: readonly (readonly [count: number, term: number])[]): number[] =>
  runs.flatMap(([count, term]) => Array<number>(count).fill(term));

describe('Thesis 3: the core of Raft', () => {
  it('3.4: election timeouts are drawn from [min, 2 min), each time and for each node anew', () => {
    const { electionTimeoutMsMin: min } = testSettings;
    const drawn = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const core = coreOf({ seed });
      let passed = 0;
      for (; core.view.role === 'follower'; passed += 1) tick(core, 1);
      expect(passed).to.be.within(min, 2 * min);
      drawn.add(passed);
    }
    expect(drawn.size).to.be.greaterThan(20);
  });

  it('3.5: logs that parted over several terms are made equal, one round trip for each term (figure 3.6)', () => {
    const leaderLog = terms([3, 1], [2, 4], [2, 5], [3, 6]);
    const cluster = new RaftCluster({
      configuration: threeVoters,
      nodes: 'a b c',
      terms: { a: leaderLog, b: terms([3, 1], [3, 2], [5, 3]), c: terms([3, 1], [4, 4]) },
    });
    const rejections: number[] = [];
    cluster.loses = (message) => {
      if (message.kind === 'appendResponse' && !message.success) rejections.push(message.index);
      return false;
    };
    const leader = cluster.elect('a');
    cluster.run(200);
    for (const name of ['b', 'c']) {
      expect(cluster.node(name).memory.map(({ term }) => term)).to.deep.equal([...leaderLog, 7]);
    }
    expect(leader.view.commitIndex).to.equal(11);
    expect(rejections.length).to.be.within(2, 6);
  });

  for (const [name, log, match] of [
    ['b lacks the end', terms([9, 1]), 9],
    ['e is shorter, of one term', terms([4, 1]), 4],
    ['d has more of the same term', terms([12, 1]), 10],
    ['f has other entries of other terms', terms([3, 1], [3, 2], [5, 3]), 3],
  ] as const) {
    it(`3.5: the leader finds where the logs meet when ${name}`, () => {
      const cluster = new RaftCluster({
        configuration: threeVoters,
        nodes: 'a b c',
        terms: { a: terms([10, 1], [1, 4]), b: log, c: terms([10, 1], [1, 4]) },
      });
      const writes: number[] = [];
      cluster.onOutput = (node, { persist }) => {
        const [first] = persist?.entries ?? [];
        if (node.id === peer('b') && first) writes.push(first.index);
      };
      cluster.elect('a');
      cluster.run(200);
      // With extra entries of term 1 the logs meet at 10, all the same.
      expect(writes[0]).to.equal(match + 1);
    });
  }

  it('3.6.1: who lacks a committed entry cannot win, be its log the longest', () => {
    const cluster = new RaftCluster({
      configuration: threeVoters,
      nodes: 'a b c',
      terms: { a: [1, 3], b: [1, 3], c: [1, 2, 2, 2, 2] },
    });
    for (let attempt = 0; attempt < 100; attempt++) {
      cluster.node('c').step({ kind: 'tick', elapsedMs: 50 });
      cluster.deliver();
    }
    expect(cluster.node('c').view.role).to.not.equal('leader');
    cluster.runUntil(() => cluster.leaders.length === 1, 3_000);
    expect([peer('a'), peer('b')]).to.include(cluster.leader.id);
  });

  it('3.6.2: figure 8: an entry of term 2 on a majority may still go, until one of term 4 covers it', () => {
    const cluster = new RaftCluster({
      configuration: fiveVoters,
      nodes: 'a b c d e',
      terms: { a: [1, 2], b: [1, 2], c: [1], d: [1], e: [1, 3] },
    });
    for (const node of cluster.nodes.values()) {
      node.crash();
      node.disk.hardState = { term: asTerm(3), vote: peer('e') };
      node.restart();
    }
    for (const name of ['d', 'e']) cluster.node(name).crash();
    // (c): a leads term 4 and brings entry 2 to c; its own no-op reaches nobody.
    cluster.loses = (message) =>
      message.kind === 'appendRequest' && message.entries.some(({ term }) => term > 3);
    const leader = cluster.node('a');
    cluster.runUntil(() => leader.view.role === 'leader');
    cluster.run(20);
    for (const from of ['b', 'c']) {
      leader.receive(acknowledge({ from, to: 'a', term: leader.view.term }, 2));
    }
    expect(leader.view.peers.filter(({ matchIndex }) => matchIndex >= 2)).to.have.length(2);
    expect(leader.view.commitIndex).to.equal(0);
    // (d): a falls; e, with 2@3, may replace entry 2 on all. Nothing committed is lost.
    leader.crash();
    cluster.node('d').restart();
    cluster.node('e').restart();
    cluster.heal();
    cluster.network = [];
    for (const name of ['b', 'c']) {
      cluster.node(name).crash();
      cluster.node(name).restart();
    }
    const heir = cluster.elect('e');
    expect(heir.entryAt(2)?.term).to.equal(3);
    cluster.run(100);
    expect(cluster.node('c').entryAt(2)?.term).to.equal(3);
  });

  it('3.7: requests are repeated until they are answered, and doing them twice does no harm', () => {
    const cluster = new RaftCluster({ configuration: threeVoters, nodes: 'a b c', seed: 3 });
    const leader = cluster.elect('a');
    cluster.loses = (message) => {
      if (cluster.random.intBelow(3) === 0) return true;
      if (cluster.random.intBelow(3) === 0) cluster.network.push(message);
      return false;
    };
    for (let i = 0; i < 20; i++) {
      cluster.propose(leader, `${i}`);
      cluster.run(40);
    }
    cluster.heal();
    cluster.run(500);
    for (const node of cluster.live) {
      const commands = node.state.filter((each) => each?.kind === 'command');
      expect(commands).to.have.length(20);
    }
  });

  it('3.8: a leader’s append to its peers does not wait for its own disk, its own copy does (10.2.1)', () => {
    const core = leaderOf();
    for (const from of ['b', 'c']) receive(core, acknowledge({ from, to: 'a', term: 1 }, 1));
    const written = propose(core, 'x');
    expect(appendsTo(written, 'b')).to.deep.equal([[1, 2]]);
    expect(written.messagesAfterPersist).to.deep.equal([]);
    for (const from of ['b', 'c']) receive(core, acknowledge({ from, to: 'a', term: 1 }, 2));
    expect(core.view.commitIndex, 'two of three others hold it durably').to.equal(2);
    expect(persistAll(core, written).commitIndex, 'and only now may it be applied').to.equal(2);
  });

  it('3.8: entries that a crash took are asked for again; those that were acknowledged are there', () => {
    const cluster = new RaftCluster({ configuration: threeVoters, nodes: 'a b c' });
    const leader = cluster.elect('a');
    cluster.run(100);
    const follower = cluster.node('b');
    cluster.propose(leader, 'kept');
    cluster.run(20);
    follower.persistsAtOnce = false;
    cluster.propose(leader, 'lost');
    cluster.run(20);
    expect(follower.view.lastIndex).to.equal(3);
    expect(progressOf(leader.core, 'b').matchIndex).to.equal(2);
    follower.crash();
    follower.restart();
    expect(follower.view.lastIndex).to.equal(2);
    follower.persistsAtOnce = true;
    cluster.run(200);
    expect(follower.view.commitIndex).to.equal(3);
  });

  it('3.9: heartbeats come several times within the shortest election timeout, in every preset', () => {
    for (const preset of ['local', 'lan', 'wan'] as const) {
      const { heartbeatMs, electionTimeoutMsMin } = raftSettingsFor(preset);
      expect(electionTimeoutMsMin / heartbeatMs).to.be.at.least(4);
    }
  });

  it('7 (paper): what a snapshot replaced is answered as held: it was committed', () => {
    const core = coreOf({ terms: [1, 1, 1, 1], applied: 3 });
    core.step({
      kind: 'compacted',
      base: {
        index: 3 as never,
        term: asTerm(1),
        configuration: { index: 0 as never, configuration: threeVoters },
      },
    });
    const way = { from: 'b', to: 'a', term: 3 };
    const below = append(way, { index: 1, term: 1 }, [entry(2, 1), entry(3, 1)]);
    expect(messagesOf(receive(core, below), 'appendResponse')[0]).to.deep.include({
      success: true,
      index: 3,
    });
  });

  it('9.6: a node that was cut off asks for pre-votes only, and brings no term back', () => {
    const core = coreOf({ hardState: { term: 4, vote: null } });
    const said = wait(core, 5_000).flatMap(({ messagesNow }) => messagesNow);
    expect(said.length).to.be.greaterThan(10);
    for (const message of said) {
      expect(message).to.deep.include({ kind: 'voteRequest', preVote: true, term: 5 });
    }
    expect(core.view.term).to.equal(4);
  });
});
