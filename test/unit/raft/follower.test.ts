import { expect } from 'chai';
import { RaftCore } from '../../../src/raft/index.ts';
import type { Entry, RaftOutput } from '../../../src/raft/index.ts';
import { encodeConfiguration } from '../../../src/wire/index.ts';
import { asIndex, seededRandom } from '../../../src/shared/index.ts';
import { configurationOf, entry, initOf, peer } from '../../support/raft-fixtures.ts';
import { append, heartbeat, messagesOf, persistAll, receive } from '../../support/raft-messages.ts';

const three = configurationOf('a b c');
const way = { from: 'b', to: 'a', term: 3 };

const coreWith = (...terms: number[]): RaftCore =>
  new RaftCore(initOf('a', three, { terms }), seededRandom(1));

const answerOf = (output: RaftOutput): { success: boolean; index: number; hints: number[] } => {
  const [answer] = messagesOf(output, 'appendResponse');
  if (!answer) throw new Error('There must be an answer');
  const { success, index, hintIndex, hintTerm } = answer;
  return { success, index, hints: [hintIndex, hintTerm] };
};

const configurationEntry = (index: number, term: number, voters: string): Entry => ({
  ...entry(index, term, '', 'configuration'),
  payload: encodeConfiguration(configurationOf(voters)),
});

describe('RaftCore as follower', () => {
  it('RaftCore releases committed entries when they are durable here too', () => {
    const core = coreWith(1);
    const output = receive(core, append(way, { index: 1, term: 1 }, [entry(2, 3)], 2));
    expect(core.view.commitIndex).to.equal(2);
    expect(output.commitIndex).to.equal(asIndex(1));
    expect(persistAll(core, output).commitIndex).to.equal(asIndex(2));
  });

  it('RaftCore commits no further than what this very message verified (etcd #1203)', () => {
    // Entries 2 and 3 are of a leader that nobody followed; the new one has others there.
    const core = coreWith(1, 2, 2);
    const known = receive(core, append(way, { index: 1, term: 1 }, [], 3));
    expect(core.view.commitIndex).to.equal(1);
    persistAll(core, known);
    expect(core.view.lastIndex).to.equal(3);
    receive(core, append(way, { index: 1, term: 1 }, [entry(2, 3)], 3));
    expect(core.view.commitIndex).to.equal(2);
  });

  it('RaftCore rejects with a hint that skips the terms that cannot match (5.3)', () => {
    const core = coreWith(1, 1, 2, 2, 2);
    const rejected = receive(core, append(way, { index: 5, term: 1 }, [entry(6, 3)]));
    expect(answerOf(rejected)).to.deep.equal({ success: false, index: 5, hints: [2, 1] });
    const short = receive(core, append(way, { index: 9, term: 3 }, []));
    expect(answerOf(short)).to.deep.equal({ success: false, index: 9, hints: [5, 2] });
    expect(core.view.lastIndex).to.equal(5);
  });

  it('RaftCore answers appends below its commit index from what is committed', () => {
    const core = coreWith(1, 1, 1, 1);
    receive(core, append(way, { index: 4, term: 1 }, [], 4));
    const old = receive(core, append(way, { index: 1, term: 1 }, [entry(2, 1)]));
    expect(answerOf(old)).to.deep.include({ success: true, index: 4 });
    const overlapping = receive(
      core,
      append(
        way,
        { index: 2, term: 1 },
        [3, 4, 5].map((i) => entry(i, i > 4 ? 3 : 1)),
      ),
    );
    expect(overlapping.persist?.entries).to.deep.equal([entry(5, 3)]);
  });

  it('RaftCore takes the commit index of a heartbeat and answers at once', () => {
    const core = coreWith(1, 1);
    const output = receive(core, heartbeat(way, 1, 7));
    expect(core.view).to.deep.include({ commitIndex: 1, leader: peer('b') });
    expect(messagesOf(output, 'heartbeatResponse')[0]).to.deep.include({ readRound: 7, term: 3 });
    expect(output.messagesNow).to.have.length(1);
  });

  it('RaftCore stops when a leader counts on entries that it lost', () => {
    const core = coreWith(1);
    expect(() => receive(core, heartbeat(way, 5))).to.throw(/Commit 5 must be in the log/);
  });

  it('RaftCore announces a configuration again when it commits', () => {
    const core = coreWith(1);
    receive(core, append(way, { index: 1, term: 1 }, [configurationEntry(2, 3, 'a b')]));
    const committed = receive(core, heartbeat(way, 2));
    expect(committed.configuration?.index).to.equal(2);
    expect(receive(core, heartbeat(way, 2)).configuration).to.equal(null);
  });

  it('RaftCore stops rather than replace a committed entry', () => {
    const core = coreWith(1, 1);
    receive(core, append(way, { index: 2, term: 1 }, [], 2));
    const wrong = append({ ...way, term: 4 }, { index: 1, term: 1 }, [entry(2, 4), entry(3, 4)]);
    const output = receive(core, wrong);
    // Entry 2 is known to be committed and is not even looked at; entry 3 is new.
    expect(output.persist?.entries).to.deep.equal([entry(3, 4)]);
  });
});
