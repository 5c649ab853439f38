import { expect } from 'chai';
import fc from 'fast-check';
import { hasQuorum, majorityOf, quorumValue, voteOutcome } from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { peer } from '../../support/raft-fixtures.ts';

const names = 'abcdefg'.split('');
const voterSets = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 7 });
const outgoingSets = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 7 });

/** By definition: the largest value that more than half of the voters have reached. */
function naiveValue(voters: readonly string[], valueOf: (name: string) => number): number {
  const reached = (value: number): boolean =>
    voters.filter((name) => valueOf(name) >= value).length > voters.length / 2;
  return Math.max(0, ...voters.map(valueOf).filter(reached));
}

const electorate = (
  voters: readonly string[],
  outgoing: readonly string[],
): { voters: PeerId[]; outgoing: PeerId[] } => ({
  voters: voters.map(peer),
  outgoing: outgoing.map(peer),
});

describe('quorum', () => {
  it('majorityOf() is the least number of which two sets always meet', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(majorityOf)).to.deep.equal([1, 2, 2, 3, 3, 4, 4]);
  });

  it('quorumValue() agrees with a count by definition, joint or not', () => {
    const values = fc.array(fc.nat(9), { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(voterSets, outgoingSets, values, (voters, outgoing, numbers) => {
        const valueOf = (name: string): number => numbers[names.indexOf(name)] ?? 0;
        const expected = Math.min(
          naiveValue(voters, valueOf),
          outgoing.length === 0 ? Infinity : naiveValue(outgoing, valueOf),
        );
        const byPeer = new Map(names.map((name) => [peer(name), valueOf(name)]));
        const found = quorumValue(electorate(voters, outgoing), (id) => byPeer.get(id) ?? 0);
        expect(found).to.equal(expected);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('voteOutcome() wins and loses exactly when no further answer could change it', () => {
    const answers = fc.array(fc.constantFrom(true, false, undefined), {
      minLength: 7,
      maxLength: 7,
    });
    const wins = (voters: readonly string[], yes: (name: string) => boolean): boolean =>
      voters.length === 0 || voters.filter(yes).length > voters.length / 2;
    fc.assert(
      fc.property(voterSets, outgoingSets, answers, (voters, outgoing, given) => {
        const ballot = new Map<PeerId, boolean>();
        for (const [position, answer] of given.entries()) {
          if (answer !== undefined) ballot.set(peer(names[position] ?? ''), answer);
        }
        const said = (name: string, yes: boolean): boolean =>
          (ballot.get(peer(name)) ?? yes) && true;
        const won = [voters, outgoing].every((set) => wins(set, (name) => said(name, false)));
        const open = [voters, outgoing].every((set) => wins(set, (name) => said(name, true)));
        const expected = won ? 'won' : open ? 'open' : 'lost';
        expect(voteOutcome(electorate(voters, outgoing), ballot)).to.equal(expected);
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('hasQuorum() is never true without voters', () => {
    expect(hasQuorum({ voters: [], outgoing: [] }, () => true)).to.equal(false);
  });

  it('hasQuorum() of five is not two', () => {
    const five = electorate(['a', 'b', 'c', 'd', 'e'], []);
    expect(hasQuorum(five, (id) => id === peer('a') || id === peer('b'))).to.equal(false);
  });
});
