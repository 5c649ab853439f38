import { expect } from 'chai';
import { Progress } from '../../../src/raft/progress.ts';
import { asIndex } from '../../../src/shared/index.ts';
import type { LogIndex } from '../../../src/shared/index.ts';
import { testSettings } from '../../support/raft-fixtures.ts';

const at = (index: number): LogIndex => asIndex(index);
const sendTo = (progress: Progress, last: number, bytes = 10): void =>
  progress.sent({ last: at(last), bytes });

/** Replicating, with everything up to `match` acknowledged. */
function replicating(match: number): Progress {
  const progress = new Progress(at(match + 1));
  progress.sent(null);
  progress.acknowledged(at(match), at(0));
  return progress;
}

describe('Progress', () => {
  it('Progress probes with one append at a time', () => {
    const progress = new Progress(at(5));
    expect(progress.isPaused(testSettings)).to.equal(false);
    sendTo(progress, 9);
    expect(progress.isPaused(testSettings)).to.equal(true);
    expect(progress.nextIndex).to.equal(5);
  });

  it('Progress replicates from the first success on, optimistically', () => {
    const progress = replicating(4);
    expect(progress.state).to.equal('replicate');
    sendTo(progress, 7);
    expect([progress.matchIndex, progress.nextIndex]).to.deep.equal([4, 8]);
  });

  it('acknowledged() frees the window up to the index, and only that', () => {
    const progress = replicating(0);
    for (const last of [1, 2, 3, 4]) sendTo(progress, last);
    expect(progress.isPaused(testSettings)).to.equal(true);
    progress.acknowledged(at(1), at(0));
    expect(progress.isPaused(testSettings)).to.equal(false);
    sendTo(progress, 5);
    expect(progress.isPaused(testSettings)).to.equal(true);
    expect(progress.acknowledged(at(5), at(0))).to.equal(true);
    expect(progress.acknowledged(at(5), at(0))).to.equal(false);
  });

  it('rejected() ignores what is acknowledged since, and answers to other probes', () => {
    const progress = replicating(4);
    sendTo(progress, 9);
    expect(progress.rejected(at(4), at(1))).to.equal(false);
    expect(progress.rejected(at(9), at(7))).to.equal(true);
    expect([progress.state, progress.nextIndex]).to.deep.equal(['probe', 7]);
    expect(progress.rejected(at(9), at(5))).to.equal(false);
    expect(progress.nextIndex).to.equal(7);
    expect(progress.rejected(at(6), at(1))).to.equal(true);
    expect(progress.nextIndex).to.equal(5);
  });

  it('takeStall() reports an interval that brought nothing for what is on its way', () => {
    const progress = replicating(0);
    sendTo(progress, 1);
    expect(progress.takeStall()).to.equal(false);
    expect(progress.takeStall()).to.equal(true);
    progress.acknowledged(at(1), at(0));
    expect(progress.takeStall()).to.equal(false);
    expect(progress.takeStall()).to.equal(false);
  });

  it('Progress waits for a snapshot until it ends, or until an answer from beyond the base', () => {
    const progress = replicating(2);
    progress.awaitSnapshot();
    progress.acknowledged(at(3), at(10));
    expect(progress.state).to.equal('snapshot');
    progress.snapshotEnded(at(10), true);
    expect([progress.state, progress.nextIndex, progress.matchIndex]).to.deep.equal([
      'probe',
      11,
      3,
    ]);
    progress.awaitSnapshot();
    progress.acknowledged(at(12), at(10));
    expect([progress.state, progress.nextIndex]).to.deep.equal(['replicate', 13]);
  });

  it('snapshotEnded() of a failed transfer waits for a sign of life', () => {
    const progress = replicating(2);
    progress.heard();
    progress.awaitSnapshot();
    progress.snapshotEnded(at(10), false);
    expect([progress.state, progress.nextIndex, progress.hasAnswered]).to.deep.equal([
      'probe',
      3,
      false,
    ]);
  });
});
