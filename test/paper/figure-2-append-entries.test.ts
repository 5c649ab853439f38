import { expect } from 'chai';
import type { RaftOutput } from '../../src/raft/index.ts';
import { entry, peer } from '../support/raft-fixtures.ts';
import { append, heartbeat, messagesOf, persistAll, receive } from '../support/raft-messages.ts';
import { coreOf, propose } from '../support/raft-roles.ts';

const way = { from: 'b', to: 'a', term: 3 };

function answerTo(output: RaftOutput): { success: boolean; index: number; term: number } {
  const [answer] = messagesOf(output, 'appendResponse');
  if (!answer) throw new Error('There must be an answer');
  const { success, index, term } = answer;
  return { success, index, term };
}

describe('Raft figure 2: AppendEntries', () => {
  it('rule 1: a leader of an earlier term is refused with the later term, and nothing is taken', () => {
    const core = coreOf({ terms: [1], hardState: { term: 5, vote: null } });
    const output = receive(core, append(way, { index: 1, term: 1 }, [entry(2, 3)], 2));
    expect(answerTo(output)).to.deep.include({ success: false, term: 5 });
    expect(core.view).to.deep.include({ lastIndex: 1, commitIndex: 0, leader: null, term: 5 });
  });

  it('rule 2: refused when the log ends before the previous entry', () => {
    const core = coreOf({ terms: [1] });
    const output = receive(core, append(way, { index: 2, term: 1 }, [entry(3, 3)]));
    expect(answerTo(output)).to.deep.equal({ success: false, index: 2, term: 3 });
    expect(core.view.lastIndex).to.equal(1);
  });

  it('rule 2: refused when the previous entry has another term, which stays until it is replaced', () => {
    const core = coreOf({ terms: [1, 1] });
    const output = receive(core, append(way, { index: 2, term: 2 }, [entry(3, 3)]));
    expect(answerTo(output).success).to.equal(false);
    expect(core.view.lastIndex).to.equal(2);
    expect(output.persist?.entries).to.deep.equal([]);
  });

  it('rule 3: a conflicting entry goes, with all that follow it, and only those', () => {
    const core = coreOf({ terms: [1, 1, 2, 2, 2] });
    const entries = [entry(2, 1), entry(3, 3)];
    const output = receive(core, append(way, { index: 1, term: 1 }, entries));
    expect(output.persist?.entries).to.deep.equal([entry(3, 3)]);
    expect(core.view.lastIndex).to.equal(3);
  });

  it('rule 3: without a conflict nothing goes: a late, shorter append cuts no later entry off', () => {
    const core = coreOf({ terms: [1] });
    const entries = [entry(2, 3), entry(3, 3), entry(4, 3)];
    receive(core, append(way, { index: 1, term: 1 }, entries));
    const late = receive(core, append(way, { index: 1, term: 1 }, [entry(2, 3)]));
    expect(late.persist).to.equal(null);
    expect(answerTo(late)).to.deep.include({ success: true, index: 2 });
    expect(core.view.lastIndex).to.equal(4);
  });

  it('rule 3: an empty append after the middle of the log cuts nothing either', () => {
    const core = coreOf({ terms: [1, 1, 1] });
    const output = receive(core, append(way, { index: 1, term: 1 }, []));
    expect(answerTo(output)).to.deep.include({ success: true, index: 1 });
    expect(core.view.lastIndex).to.equal(3);
  });

  it('rule 4: of what overlaps, only the entries that are missing are written', () => {
    const core = coreOf({ terms: [1, 1, 1] });
    const entries = [entry(2, 1), entry(3, 1), entry(4, 3), entry(5, 3)];
    const output = receive(core, append(way, { index: 1, term: 1 }, entries));
    expect(output.persist?.entries).to.deep.equal([entry(4, 3), entry(5, 3)]);
    expect(answerTo(output)).to.deep.include({ success: true, index: 5 });
  });

  it('rule 5: commits up to leaderCommit when the message reaches further', () => {
    const core = coreOf({ terms: [1] });
    receive(core, append(way, { index: 1, term: 1 }, [entry(2, 3), entry(3, 3)], 2));
    expect(core.view.commitIndex).to.equal(2);
  });

  it('rule 5: commits up to the last entry of this very message when leaderCommit reaches further', () => {
    // Entries 2 and 3 of term 2 may be somebody else's: the message says nothing about them.
    const core = coreOf({ terms: [1, 2, 2] });
    receive(core, append(way, { index: 1, term: 1 }, [], 3));
    expect(core.view.commitIndex).to.equal(1);
    receive(core, append(way, { index: 1, term: 1 }, [entry(2, 3)], 9));
    expect(core.view.commitIndex).to.equal(2);
  });

  it('rule 5: a heartbeat commits what its sender says this peer holds', () => {
    const core = coreOf({ terms: [1, 1] });
    expect(receive(core, heartbeat(way, 1)).commitIndex).to.equal(1);
  });

  it('a success names the last entry that the message proved, not the end of the log', () => {
    const core = coreOf({ terms: [1, 1, 1, 1] });
    const output = receive(core, append(way, { index: 1, term: 1 }, [entry(2, 1)]));
    expect(answerTo(output)).to.deep.equal({ success: true, index: 2, term: 3 });
  });

  it('a success waits until the entries are durable, and so does the next one', () => {
    const core = coreOf({ terms: [1] });
    const first = receive(core, append(way, { index: 1, term: 1 }, [entry(2, 3)]));
    const second = receive(core, append(way, { index: 2, term: 3 }, [entry(3, 3)]));
    for (const output of [first, second]) {
      expect(output.messagesNow).to.deep.equal([]);
      expect(output.afterSequence).to.equal(output.persist?.sequence);
    }
    expect(second.afterSequence).to.be.greaterThan(first.afterSequence);
  });

  it('the same message twice writes once, and gets the same answer twice', () => {
    const core = coreOf({ terms: [1] });
    const message = append(way, { index: 1, term: 1 }, [entry(2, 3)], 2);
    const first = receive(core, message);
    persistAll(core, first);
    const second = receive(core, message);
    expect(second.persist).to.equal(null);
    expect(answerTo(second)).to.deep.equal(answerTo(first));
  });

  it('it tells who leads, so that a client can be sent there', () => {
    const core = coreOf();
    receive(core, append(way, { index: 0, term: 0 }, []));
    expect(propose(core, 'x').replies[0]).to.deep.include({
      kind: 'refused',
      reason: 'notLeader',
      leader: peer('b'),
    });
  });

  it('entries that cannot be a piece of a log are not even answered', () => {
    const core = coreOf({ terms: [1] });
    const gap = append(way, { index: 1, term: 1 }, [entry(3, 3)]);
    const falling = append(way, { index: 1, term: 1 }, [entry(2, 3), entry(3, 2)]);
    const fromTheFuture = append(way, { index: 1, term: 1 }, [entry(2, 4)]);
    for (const message of [gap, falling, fromTheFuture]) {
      expect(receive(core, message).messagesAfterPersist).to.deep.equal([]);
    }
    expect(core.view.lastIndex).to.equal(1);
  });
});
