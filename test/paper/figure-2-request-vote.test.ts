import { expect } from 'chai';
import type { RaftCore } from '../../src/raft/index.ts';
import { peer } from '../support/raft-fixtures.ts';
import { append, heartbeat, messagesOf, receive, voteRequest } from '../support/raft-messages.ts';
import { beginCampaign, candidateOf, coreOf, leaderOf, tick, wait } from '../support/raft-roles.ts';

const empty = { term: 0, index: 0 };

/** What `from` is told when it asks `core` for its vote in `term`. */
function ask(
  core: RaftCore,
  from: string,
  term: number,
  last: { readonly term: number; readonly index: number } = empty,
): { readonly granted: boolean; readonly term: number } {
  const output = receive(core, voteRequest({ from, to: 'a', term }, last));
  const [answer] = messagesOf(output, 'voteResponse');
  if (!answer) throw new Error('There must be an answer');
  return { granted: answer.granted, term: answer.term };
}

describe('Raft figure 2: RequestVote', () => {
  it('the request names the candidate’s term, its last index and the term of that entry', () => {
    const requests = messagesOf(beginCampaign(coreOf({ terms: [1, 1, 2] })), 'voteRequest');
    expect(requests).to.have.length(2);
    for (const request of requests) {
      expect(request).to.deep.include({ from: peer('a'), term: 3, lastIndex: 3, lastTerm: 2 });
    }
  });

  it('rule 1: a candidate of an earlier term is refused, and told the term it missed', () => {
    const core = coreOf({ hardState: { term: 5, vote: null } });
    expect(ask(core, 'b', 4, { term: 4, index: 99 })).to.deep.equal({ granted: false, term: 5 });
  });

  it('rule 2: a node that has not voted in the term votes for the first that asks', () => {
    expect(ask(coreOf(), 'b', 1)).to.deep.equal({ granted: true, term: 1 });
  });

  it('rule 2: the same candidate is answered yes again, and nothing is written twice', () => {
    const core = coreOf();
    ask(core, 'b', 1);
    const again = receive(core, voteRequest({ from: 'b', to: 'a', term: 1 }, empty));
    expect(messagesOf(again, 'voteResponse')[0]?.granted).to.equal(true);
    expect(again.persist).to.equal(null);
  });

  it('rule 2: a second candidate of the term gets nothing, however good its log (5.2)', () => {
    const core = coreOf();
    ask(core, 'b', 1);
    expect(ask(core, 'c', 1, { term: 1, index: 50 }).granted).to.equal(false);
  });

  it('rule 2: the vote holds over a restart', () => {
    const core = coreOf({ hardState: { term: 4, vote: 'b' } });
    expect(ask(core, 'c', 4, { term: 4, index: 9 }).granted).to.equal(false);
    expect(ask(core, 'b', 4, { term: 4, index: 9 }).granted).to.equal(true);
  });

  it('rule 2: the vote holds when the term’s leader shows up and falls silent again', () => {
    const core = coreOf();
    ask(core, 'b', 3);
    receive(core, heartbeat({ from: 'b', to: 'a', term: 3 }));
    wait(core, 400);
    expect(ask(core, 'c', 3, { term: 3, index: 9 }).granted).to.equal(false);
  });

  it('rule 2: a candidate and a leader voted for themselves, and for nobody else in that term', () => {
    for (const core of [candidateOf(), leaderOf()]) {
      expect(ask(core, 'b', 1, { term: 1, index: 9 }).granted).to.equal(false);
    }
  });

  it('rule 2: who follows the term’s leader helps nobody else, even if it never voted', () => {
    const core = coreOf();
    receive(core, append({ from: 'b', to: 'a', term: 3 }, empty, []));
    wait(core, 240);
    expect(ask(core, 'c', 3, { term: 3, index: 9 }).granted).to.equal(false);
  });

  const table: readonly [lastTerm: number, lastIndex: number, granted: boolean, why: string][] = [
    [2, 3, true, 'the same end'],
    [2, 4, true, 'the same term, longer'],
    [2, 2, false, 'the same term, shorter'],
    [3, 1, true, 'a later term, shorter'],
    [1, 9, false, 'an earlier term, longer'],
    [0, 0, false, 'empty'],
  ];
  for (const [term, index, granted, why] of table) {
    it(`rule 2: against a log that ends with 3@2, ${index}@${term} gets a ${granted ? 'yes' : 'no'}: ${why} (5.4.1)`, () => {
      const core = coreOf({ terms: [1, 2, 2] });
      expect(ask(core, 'b', 9, { term, index }).granted).to.equal(granted);
    });
  }

  it('a refusal because of the log takes over the later term all the same, and keeps the vote free', () => {
    const core = coreOf({ terms: [1, 2, 2] });
    expect(ask(core, 'b', 7, { term: 1, index: 1 })).to.deep.equal({ granted: false, term: 7 });
    expect(core.view.term).to.equal(7);
    expect(ask(core, 'c', 7, { term: 2, index: 3 }).granted).to.equal(true);
  });

  it('the answer waits for the disk, a no like a yes: both rest on what must not be forgotten', () => {
    const core = coreOf();
    for (const from of ['b', 'c']) {
      const output = receive(core, voteRequest({ from, to: 'a', term: 1 }, empty));
      expect(output.messagesNow).to.deep.equal([]);
      expect(output.messagesAfterPersist).to.have.length(1);
      expect(output.afterSequence).to.equal(1);
    }
  });

  it('granting a vote starts the election timer again, refusing one does not', () => {
    const timeoutAfter = (disturb: (core: RaftCore) => void): number => {
      const core = coreOf({ hardState: { term: 2, vote: null }, terms: [1], seed: 4 });
      wait(core, 240);
      disturb(core);
      let passed = 240;
      for (; core.view.role === 'follower'; passed += 10) tick(core, 10);
      return passed;
    };
    const undisturbed = timeoutAfter(() => undefined);
    const granted = timeoutAfter((core) => ask(core, 'b', 2, { term: 1, index: 1 }));
    const refused = timeoutAfter((core) => ask(core, 'b', 2, empty));
    expect(undisturbed).to.be.below(490);
    expect(granted).to.be.at.least(490);
    expect(refused).to.equal(undisturbed);
  });
});
