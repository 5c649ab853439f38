import { expect } from 'chai';
import { RaftCore } from '../../../src/raft/index.ts';
import { asIndex, asTerm, seededRandom } from '../../../src/shared/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, entry, initOf, peer } from '../../support/raft-fixtures.ts';
import {
  append,
  heartbeat,
  messagesOf,
  persistAll,
  receive,
  tickUntil,
  voteRequest,
  voteResponse,
} from '../../support/raft-messages.ts';

const three = configurationOf('a b c');
const isCampaign = (output: { readonly change: unknown }): boolean => output.change !== null;

function coreOf(self: string, options: Parameters<typeof initOf>[2] = {}): RaftCore {
  return new RaftCore(initOf(self, three, options), seededRandom(1));
}

/** Until the pre-campaign has begun; the other's yes then starts the campaign. */
function campaign(core: RaftCore, voter = 'b'): ReturnType<RaftCore['step']> {
  const asked = tickUntil(core, isCampaign);
  const term = messagesOf(asked, 'voteRequest')[0]?.term ?? 0;
  return receive(core, voteResponse({ from: voter, to: 'a', term }, true, true));
}

describe('RaftCore elections', () => {
  it('RaftCore waits for a slow disk instead of campaigning again', () => {
    const core = coreOf('a');
    const asked = campaign(core);
    for (let i = 0; i < 200; i++) core.step({ kind: 'tick', elapsedMs: 50 });
    expect(core.view).to.deep.include({ role: 'candidate', term: 1 });
    persistAll(core, asked);
    receive(core, voteResponse({ from: 'c', to: 'a', term: 1 }, true));
    expect(core.view.role).to.equal('leader');
  });

  it('RaftCore takes a pre-vote for the campaign that asked for it only', () => {
    const core = coreOf('a');
    tickUntil(core, isCampaign);
    receive(core, voteResponse({ from: 'b', to: 'a', term: 7 }, true, true));
    expect(core.view).to.deep.include({ role: 'preCandidate', term: 0 });
  });

  it('RaftCore grants nothing to a candidate with an older log (5.4.1)', () => {
    const log = { terms: [1, 2, 2] };
    const table: [term: number, index: number, granted: boolean][] = [
      [2, 3, true],
      [3, 1, true],
      [2, 2, false],
      [1, 9, false],
    ];
    for (const [term, index, granted] of table) {
      for (const preVote of [true, false]) {
        const asked = voteRequest({ from: 'b', to: 'a', term: 9 }, { term, index }, { preVote });
        const output = receive(coreOf('a', log), asked);
        expect(messagesOf(output, 'voteResponse')[0]?.granted, `${index}@${term}`).to.equal(
          granted,
        );
      }
    }
  });

  it('RaftCore answers pre-votes of earlier terms with its own term, and changes nothing', () => {
    const core = coreOf('a', { hardState: { term: asTerm(8), vote: null } });
    const asked = voteRequest(
      { from: 'b', to: 'a', term: 3 },
      { term: 9, index: 9 },
      { preVote: true },
    );
    const output = receive(core, asked);
    expect(messagesOf(output, 'voteResponse')[0]).to.deep.include({ term: 8, granted: false });
    expect(output.persist).to.equal(null);
  });

  it('RaftCore never campaigns as learner, observer or outside of a cluster', () => {
    const configuration = configurationOf('a b', 'd', 'e');
    for (const self of ['d', 'e', 'f']) {
      const core = new RaftCore(initOf(self, configuration), seededRandom(1));
      for (let i = 0; i < 300; i++) {
        const output = core.step({ kind: 'tick', elapsedMs: 10 });
        expect(messagesOf(output, 'voteRequest')).to.deep.equal([]);
      }
      const timeoutNow = { kind: 'timeoutNow', from: peer('a'), to: peer(self), term: asTerm(1) };
      receive(core, { ...timeoutNow, kind: 'timeoutNow' });
      expect(core.view.role).to.equal('follower');
    }
  });

  it('RaftCore answers leaders of earlier terms with its term, so that they step down (5.1)', () => {
    const core = coreOf('a', { hardState: { term: asTerm(5), vote: null } });
    const beat = receive(core, heartbeat({ from: 'b', to: 'a', term: 4 }));
    expect(messagesOf(beat, 'heartbeatResponse')[0]?.term).to.equal(5);
    const appended = receive(
      core,
      append({ from: 'b', to: 'a', term: 4 }, { index: 0, term: 0 }, [entry(1, 4)]),
    );
    expect(messagesOf(appended, 'appendResponse')[0]).to.deep.include({ term: 5, success: false });
    expect(core.view.lastIndex).to.equal(0);
  });

  it('RaftCore ignores what is not addressed to it', () => {
    const core = coreOf('a');
    receive(core, heartbeat({ from: 'b', to: 'a2', term: 4 }));
    expect(core.view.term).to.equal(0);
  });

  it('RaftCore alone in its cluster leads at the first tick and commits after its own persist', () => {
    const core = new RaftCore(initOf('a', configurationOf('a', 'b')), seededRandom(1));
    const voted = core.step({ kind: 'tick', elapsedMs: 1 });
    expect(core.view.role).to.equal('candidate');
    const led = persistAll(core, voted);
    expect(core.view).to.deep.include({ role: 'leader', commitIndex: 0, leaderReady: false });
    const committed = persistAll(core, led);
    expect(committed.commitIndex).to.equal(asIndex(1));
    expect(core.view.leaderReady).to.equal(true);
  });

  it('RaftCore with a hanging disk hands leadership over and stays out until it writes', () => {
    const cluster = new RaftCluster({ configuration: three, nodes: 'a b c' });
    const leader = cluster.elect('a');
    leader.persistsAtOnce = false;
    cluster.propose(leader, 'stuck');
    leader.step({ kind: 'diskStalled' });
    cluster.deliver();
    cluster.runUntil(() => cluster.leaders.some(({ id }) => id !== peer('a')), 1_500);
    cluster.node('b').crash();
    cluster.node('c').crash();
    cluster.run(2_000);
    expect(leader.view.role).to.equal('follower');
    leader.step({ kind: 'diskOk' });
    cluster.run(1_000);
    expect(leader.view.role).to.equal('preCandidate');
  });
});
