import { expect } from 'chai';
import type { RaftCore, RaftOutput } from '../../src/raft/index.ts';
import { asTerm } from '../../src/shared/index.ts';
import type { PeerId } from '../../src/shared/index.ts';
import { encodeBatch, encodeEnvelope } from '../../src/store/index.ts';
import type { CommandResult } from '../../src/store/index.ts';
import { RaftCluster } from '../support/raft-cluster.ts';
import { configurationOf, peer } from '../support/raft-fixtures.ts';
import { acknowledge, heartbeat, messagesOf, pulse, receive } from '../support/raft-messages.ts';
import {
  coreOf,
  fiveVoters,
  leaderOf,
  propose,
  readyLeaderOf,
  threeVoters,
  wait,
} from '../support/raft-roles.ts';
import { envelope, put, Store } from '../unit/store/harness.ts';

const toA = { to: 'a', term: 1 };
const read = (core: RaftCore, tag = 1): RaftOutput => core.step({ kind: 'read', tag });

describe('Thesis 6.1 and 6.2: finding the leader', () => {
  it('6.2: a server that does not lead refuses and says who does', () => {
    const core = coreOf();
    expect(propose(core, 'x').replies[0]).to.deep.include({ reason: 'notLeader', leader: null });
    receive(core, heartbeat({ from: 'c', ...toA }));
    expect(propose(core, 'x').replies[0]).to.deep.include({ leader: peer('c') });
  });

  it('6.2: a leader that no majority answers for an election timeout steps down, in its term', () => {
    const core = readyLeaderOf({ configuration: fiveVoters });
    for (let i = 0; i < 4; i++) {
      wait(core, 200);
      for (const from of ['b', 'c']) receive(core, pulse({ from, ...toA }));
    }
    expect(core.view.role).to.equal('leader');
    wait(core, 200);
    receive(core, pulse({ from: 'b', ...toA }));
    wait(core, 50);
    expect(core.view).to.deep.include({ role: 'follower', term: 1, leader: null });
  });

  it('6.2: learners and observers that answer keep no leader in office', () => {
    const core = readyLeaderOf({ configuration: configurationOf('a b c', 'd', 'e') });
    for (let i = 0; i < 4; i++) {
      wait(core, 70);
      for (const from of ['d', 'e']) receive(core, pulse({ from, ...toA }));
    }
    expect(core.view.role).to.equal('follower');
  });
});

describe('Thesis 6.3: a request that is repeated takes effect once', () => {
  it('6.3: through a change of leaders, on every server, with the first answer again', () => {
    const cluster = new RaftCluster({ configuration: threeVoters, nodes: 'a b c' });
    const stores = new Map<PeerId, Store>();
    const answers = new Map<PeerId, CommandResult[]>();
    cluster.onReleased = ({ id }, entries) => {
      const store = stores.get(id) ?? new Store();
      stores.set(id, store);
      for (const { kind, payload } of entries) {
        if (kind !== 'command') continue;
        const { results } = store.applyPayload(payload);
        answers.set(id, [...(answers.get(id) ?? []), ...results]);
      }
    };
    const once = envelope({ session: 'client', sequence: 1, then: [put('k', 'v')] });
    const payload = encodeBatch({ timeMs: 1_000_000, envelopes: [encodeEnvelope(once)] });
    const ask = (): void => {
      cluster.leader.step({ kind: 'propose', proposals: [{ tag: 1, payload }] });
    };
    cluster.elect('a');
    ask();
    cluster.run(100);
    cluster.node('a').crash();
    cluster.runUntil(() => cluster.leaders.length === 1, 3_000);
    ask();
    cluster.run(200);
    for (const name of ['b', 'c']) {
      const [first, second] = answers.get(peer(name)) ?? [];
      expect(first).to.deep.include({ ok: true });
      expect(second).to.deep.equal(first);
      expect(stores.get(peer(name))?.machine.revision).to.equal(1);
    }
    expect(stores.get(peer('b'))?.machine.digest()).to.equal(
      stores.get(peer('c'))?.machine.digest(),
    );
  });
});

describe('Thesis 6.4: reads without the log', () => {
  it('step 1: a leader waits until an entry of its own term is committed', () => {
    const core = leaderOf();
    expect(read(core).messagesNow).to.deep.equal([]);
    const ready = receive(core, acknowledge({ from: 'b', ...toA }, 1));
    expect(messagesOf(ready, 'heartbeat')[0]?.readRound).to.equal(1);
  });

  it('step 2: the read index is the commit index at the time of the request', () => {
    const core = readyLeaderOf();
    read(core);
    core.step({ kind: 'persisted', sequence: propose(core, 'x').afterSequence });
    receive(core, acknowledge({ from: 'b', ...toA }, 2));
    expect(core.view.commitIndex).to.equal(2);
    const [reply] = receive(core, pulse({ from: 'c', ...toA }, 1)).replies;
    expect(reply).to.deep.equal({ kind: 'readAt', tag: 1, index: 1 });
  });

  it('step 3: a majority must answer a message that was sent after the request', () => {
    const core = readyLeaderOf({ configuration: fiveVoters });
    read(core);
    for (const round of [0, 7]) {
      for (const from of ['b', 'c', 'd']) {
        expect(receive(core, pulse({ from, ...toA }, round)).replies).to.deep.equal([]);
      }
    }
    expect(receive(core, pulse({ from: 'b', ...toA }, 1)).replies).to.deep.equal([]);
    expect(receive(core, pulse({ from: 'b', ...toA }, 1)).replies).to.deep.equal([]);
    expect(receive(core, pulse({ from: 'e', ...toA }, 1)).replies).to.have.length(1);
  });

  it('step 3: answers that were given before a later read do not count for it', () => {
    const core = readyLeaderOf();
    read(core, 1);
    receive(core, pulse({ from: 'b', ...toA }, 1));
    read(core, 2);
    expect(receive(core, pulse({ from: 'c', ...toA }, 1)).replies).to.deep.equal([]);
    expect(receive(core, pulse({ from: 'c', ...toA }, 2)).replies).to.have.length(1);
  });

  it('step 4: a reader is told with its read index that so much is committed, and applies it', () => {
    const configuration = configurationOf('a b c', '', 'd');
    const cluster = new RaftCluster({ configuration, nodes: 'a b c d' });
    const leader = cluster.elect('a');
    cluster.run(100);
    cluster.propose(leader, 'x');
    cluster.deliver();
    for (const name of ['b', 'd']) {
      const reader = cluster.node(name);
      expect(reader.view.appliedIndex).to.equal(1);
      const tag = cluster.read(reader);
      cluster.deliver();
      expect(cluster.replyTo(reader, tag)).to.deep.include({ kind: 'readAt', index: 2 });
      expect(reader.view.appliedIndex, `the news came to ${name} too`).to.equal(2);
    }
  });

  it('many reads share one round, and those that come meanwhile the next', () => {
    const core = readyLeaderOf();
    expect(messagesOf(read(core, 1), 'heartbeat')).to.have.length(2);
    for (const tag of [2, 3, 4]) expect(read(core, tag).messagesNow).to.deep.equal([]);
    const first = receive(core, pulse({ from: 'b', ...toA }, 1));
    expect(first.replies.map(({ tag }) => tag)).to.deep.equal([1]);
    expect(messagesOf(first, 'heartbeat')[0]?.readRound).to.equal(2);
    const second = receive(core, pulse({ from: 'b', ...toA }, 2));
    expect(second.replies.map(({ tag }) => tag)).to.deep.equal([2, 3, 4]);
  });

  it('a follower asks the leader for the read index, one request for all its reads', () => {
    const core = coreOf();
    receive(core, heartbeat({ from: 'b', ...toA }));
    const [request] = messagesOf(read(core, 1), 'readRequest');
    expect(request?.to).to.equal(peer('b'));
    expect(read(core, 2).messagesNow).to.deep.equal([]);
    const answer = { from: peer('b'), to: peer('a'), term: asTerm(1), index: 3 as never };
    const requestId = request?.requestId ?? 0;
    const { replies } = receive(core, { kind: 'readResponse', ...answer, requestId });
    expect(replies).to.deep.equal([{ kind: 'readAt', tag: 1, index: 3 }]);
  });

  it('a leader that lost office answers no read: whoever waits must ask again', () => {
    const core = readyLeaderOf();
    read(core);
    const [reply] = receive(core, heartbeat({ from: 'b', to: 'a', term: 2 })).replies;
    expect(reply).to.deep.include({ kind: 'refused', reason: 'abandoned' });
  });
});
