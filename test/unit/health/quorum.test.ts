import { expect } from 'chai';
import fc from 'fast-check';
import {
  countZones,
  decide,
  effectiveQuorum,
  quorumShortfall,
  requiredZones,
  votingMembers,
} from '../../../src/health/index.ts';
import { asNodeId } from '../../../src/shared/index.ts';
import type { Verdict } from '../../../src/shared/index.ts';
import { ballot, input, keyState, membersIn, nodeName, noZones, settings } from './support.ts';

const setting = fc.oneof(fc.constant('majority' as const), fc.integer({ min: 1, max: 12 }));
const memberCount = fc.integer({ min: 0, max: 11 });

describe('effectiveQuorum()', () => {
  it('is the larger of setting and majority, and 1 only for one member that asks for it', () => {
    const cases = [
      ['majority', 5, 3],
      ['majority', 4, 3],
      ['majority', 1, 2],
      ['majority', 0, 2],
      [4, 5, 4],
      [2, 5, 3],
      [1, 3, 2],
      [1, 2, 2],
      [1, 1, 1],
      [9, 3, 9],
    ] as const;
    for (const [quorum, members, wanted] of cases) {
      expect(effectiveQuorum(quorum, members), `${quorum} of ${members}`).to.equal(wanted);
    }
  });

  it('is always above half of the members', () => {
    fc.assert(
      fc.property(setting, memberCount, (quorum, members) => {
        expect(effectiveQuorum(quorum, members)).to.be.above(members / 2);
      }),
      { seed: 1 },
    );
  });
});

describe('votes', () => {
  const verdict = fc.constantFrom<Verdict>('UP', 'DOWN', 'EMPTY', 'NO_EMPTY_IN_SAMPLES');

  it('decide() never finds two opposite agreements in the same votes', () => {
    const zones = fc.array(fc.constantFrom('', 'a', 'b'), { maxLength: 8 });
    fc.assert(
      fc.property(zones, fc.array(verdict, { maxLength: 8 }), setting, (names, votes, quorum) => {
        const common = {
          members: membersIn(...names),
          ballots: votes.map((vote, at) => ballot(at + 1, vote)),
          settings: settings({ gossipQuorum: quorum, eventHoldMs: 0 }),
        };
        const flips = (['UP', 'DOWN'] as const).filter((baseline) => {
          const decision = decide(input({ ...common, key: keyState({ baseline }) }));
          return decision.kind === 'event' && decision.eventKind === 'availability';
        });
        const empties = [true, false].filter((empty) => {
          const decision = decide(input({ ...common, key: keyState({ empty }) }));
          return decision.kind === 'event' && decision.eventKind === 'emptiness';
        });
        expect(flips).to.have.lengthOf.at.most(1);
        expect(empties).to.have.lengthOf.at.most(1);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('decide() has quorum and zones of counted votes behind every event', () => {
    const zones = fc.array(fc.constantFrom('', 'a', 'b', 'c'), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(zones, fc.array(verdict, { maxLength: 7 }), setting, (names, votes, quorum) => {
        const decision = decide(
          input({
            members: membersIn(...names),
            ballots: votes.map((vote, at) => ballot(at + 1, vote)),
            settings: settings({ gossipQuorum: quorum, eventHoldMs: 0 }),
          }),
        );
        if (decision.kind !== 'event') return;
        const { evidence } = decision;
        const counted = evidence.votes.filter((vote) => vote.counted);
        expect(counted.length).to.be.at.least(evidence.quorum);
        expect(counted.length).to.be.above(names.length / 2);
        expect(countZones(counted.map((vote) => vote.zone))).to.be.at.least(evidence.minZones);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

describe('requiredZones()', () => {
  it('auto asks for two zones as soon as members name two', () => {
    expect(requiredZones('auto', membersIn('', '', ''))).to.equal(1);
    expect(requiredZones('auto', membersIn('a', 'a', ''))).to.equal(1);
    expect(requiredZones('auto', membersIn('a', 'a', 'b'))).to.equal(2);
    expect(requiredZones(3, membersIn('a'))).to.equal(3);
  });

  it('countZones() takes unnamed zones together as one, and only when no other is named', () => {
    expect(countZones([])).to.equal(0);
    expect(countZones(['', ''])).to.equal(1);
    expect(countZones(['', 'a'])).to.equal(1);
    expect(countZones(['a', 'b', 'a'])).to.equal(2);
  });
});

describe('votingMembers()', () => {
  it('leaves learners out and counts a node that is being replaced once', () => {
    const node = asNodeId('n1');
    const members = [
      { node, zone: 'a', role: 'voter' },
      { node, zone: 'a', role: 'observer' },
      { node: nodeName(2), zone: 'a', role: 'learner' },
      { node: nodeName(3), zone: 'a', role: 'observer' },
    ] as const;
    expect(votingMembers(members).map((member) => member.node)).to.deep.equal(['n1', 'n3']);
  });
});

describe('quorumShortfall()', () => {
  const common = { gossipQuorum: 'majority', minZones: 'auto' } as const;

  it('says when these members cannot agree however they vote', () => {
    expect(quorumShortfall(common, noZones(3))).to.equal(null);
    expect(quorumShortfall(common, noZones(1))).to.equal('2 votes are needed of 1 members');
    expect(quorumShortfall({ ...common, gossipQuorum: 4 }, noZones(3))).to.match(/4 votes/);
    expect(quorumShortfall({ ...common, minZones: 2 }, membersIn('a', 'a', ''))).to.match(
      /2 zones/,
    );
  });
});
