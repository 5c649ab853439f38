import { expect } from 'chai';
import { applyMemberChanges, REMOVED_MAX, votersOf } from '../../../src/raft/index.ts';
import type { ChangeResult, Configuration, MemberChange } from '../../../src/raft/index.ts';
import { asNodeId } from '../../../src/shared/index.ts';
import { configurationOf, member, peer } from '../../support/raft-fixtures.ts';

const add = (name: string, role: 'learner' | 'observer' = 'learner'): MemberChange => ({
  kind: 'add',
  member: member(name, role),
});
const remove = (name: string): MemberChange => ({ kind: 'remove', nodeId: asNodeId(name) });

function accepted(result: ChangeResult): Configuration {
  if (!result.ok) throw new Error(result.message);
  return result.configuration;
}

const applied = (configuration: Configuration, change: MemberChange): ChangeResult =>
  applyMemberChanges(configuration, [change]);

const messageOf = (result: ChangeResult): string => (result.ok ? 'accepted' : result.message);

describe('applyMemberChanges()', () => {
  it('adds learners and observers, never voters', () => {
    const one = configurationOf('a');
    const two = accepted(applied(one, add('b')));
    expect(accepted(applied(two, add('c', 'observer'))).members).to.have.length(3);
    const voter = { kind: 'add', member: member('d', 'voter') } as const;
    expect(messageOf(applied(two, voter))).to.match(/role is voter/);
    expect(votersOf(two)).to.deep.equal([peer('a')]);
  });

  it('refuses a member that is present and an address that is taken', () => {
    const two = configurationOf('a b');
    expect(messageOf(applied(two, add('b')))).to.match(/it is one/);
    const clash = { kind: 'add', member: member('c', 'learner', 'b') } as const;
    expect(messageOf(applied(two, clash))).to.match(/raftAddress b:1 belongs to b/);
  });

  it('replaces an older incarnation by a learner, in one entry, at the same addresses', () => {
    const change = { kind: 'add', member: member('b2', 'learner', 'b') } as const;
    const next = accepted(applied(configurationOf('a b c'), change));
    expect(votersOf(next)).to.deep.equal([peer('a'), peer('c')]);
    expect(next.members.at(-1)).to.deep.equal(change.member);
    expect(next.removed).to.deep.equal([peer('b')]);
  });

  it('refuses incarnations that were removed', () => {
    const next = accepted(applied(configurationOf('a b'), remove('b')));
    expect(next.removed).to.deep.equal([peer('b')]);
    expect(messageOf(applied(next, add('b')))).to.match(/was removed/);
    expect(applied(next, add('b2')).ok).to.equal(true);
  });

  it('removes the incarnation that is meant, not another one that has its name now', () => {
    const { nodeId, incarnation } = member('b');
    const change = { kind: 'remove', nodeId, incarnation } as const;
    const later = applied(configurationOf('a b2'), change);
    expect(messageOf(later)).to.match(/^Cannot remove b@1 as a member: b@2 has its name now/);
    expect(votersOf(accepted(applied(configurationOf('a b'), change)))).to.deep.equal([peer('a')]);
    expect(accepted(applied(configurationOf('a b2'), remove('b'))).removed).to.include(peer('b2'));
  });

  it('always leaves a voter', () => {
    const one = configurationOf('a', 'b');
    expect(messageOf(applied(one, remove('a')))).to.match(/last voter: a@1 gone/);
    expect(messageOf(applied(one, add('a2')))).to.match(/last voter: a@1 gone/);
    expect(applied(one, remove('b')).ok).to.equal(true);
    expect(messageOf(applied(one, remove('z')))).to.match(/it is none/);
  });

  it('updates addresses and zone of a present incarnation, and nothing else', () => {
    const moved = { ...member('b', 'observer', 'elsewhere'), zone: 'y' };
    const next = accepted(applied(configurationOf('a b'), { kind: 'update', member: moved }));
    expect(next.members[1]).to.deep.equal({ ...moved, role: 'voter' });
    const other = { kind: 'update', member: member('b2') } as const;
    expect(messageOf(applied(next, other))).to.match(/it is none/);
    const clash = { kind: 'update', member: member('b', 'voter', 'a') } as const;
    expect(messageOf(applied(next, clash))).to.match(/belongs to a/);
  });

  it(`remembers the last ${REMOVED_MAX} removed incarnations`, () => {
    let configuration = configurationOf('a');
    for (let i = 0; i <= REMOVED_MAX; i++) {
      configuration = accepted(applied(configuration, add(`b${i}`)));
    }
    const next = accepted(applied(configuration, remove('b')));
    expect(next.removed).to.have.length(REMOVED_MAX);
    expect(next.removed.at(-1)).to.equal(peer(`b${REMOVED_MAX}`));
    expect(next.removed[0]).to.equal(peer('b1'));
  });
});
