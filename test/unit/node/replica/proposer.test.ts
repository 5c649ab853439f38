import { expect } from 'chai';
import type { ProposalOutcome, ProposerInit } from '../../../../src/node/replica/proposer.ts';
import { Proposer } from '../../../../src/node/replica/proposer.ts';
import type { RaftInput, RaftView, Reply } from '../../../../src/raft/index.ts';
import { utf8 } from '../../../../src/shared/index.ts';

/** A driver whose disk hangs; as a follower it refuses what is proposed. */
class HungDriver {
  readonly isWriting = true;
  view: Pick<RaftView, 'role'> = { role: 'leader' };
  submitted = 0;
  readonly #replies: ((reply: Reply) => void)[] = [];

  tag(onReply: (reply: Reply) => void): number {
    return this.#replies.push(onReply) - 1;
  }

  submit(input: RaftInput): void {
    if (input.kind !== 'propose') throw new Error(`Only proposals are expected: ${input.kind}`);
    this.submitted++;
    for (const { tag } of input.proposals) {
      const message = 'another node leads';
      this.#replies[tag]?.({ kind: 'refused', tag, reason: 'notLeader', leader: null, message });
    }
  }
}

function proposerAbove(driver: HungDriver): Proposer {
  return new Proposer({
    driver: driver as unknown as ProposerInit['driver'],
    applier: () => ({ expect: () => undefined }),
    entryBytesMax: 1_000,
    wallMs: () => 0,
    monotonicMs: () => 0,
    onProposed: () => undefined,
    afterThisTurn: (run) => run(),
  });
}

describe('Proposer', () => {
  it('refuses what waits for a disk that hangs as soon as another node may lead', () => {
    const driver = new HungDriver();
    const proposer = proposerAbove(driver);
    const outcomes: ProposalOutcome[] = [];
    proposer.propose(utf8('a'), (outcome) => outcomes.push(outcome));
    proposer.onRoleChange();
    expect([driver.submitted, outcomes.length], 'it still leads').to.deep.equal([0, 0]);

    driver.view = { role: 'follower' };
    proposer.onRoleChange();
    const refused = { kind: 'refused', reason: 'notLeader', message: 'this node leads no more' };
    expect(outcomes, 'at once, not by an input of the core').to.deep.equal([refused]);
    expect(driver.submitted).to.equal(0);
    proposer.propose(utf8('b'), (outcome) => outcomes.push(outcome));
    expect(outcomes[1]).to.deep.equal({ ...refused, message: 'another node leads' });
  });
});
