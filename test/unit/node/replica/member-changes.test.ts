import { expect } from 'chai';
import type { Outcome } from '../../../../src/node/replica/applier.ts';
import { MemberChanges } from '../../../../src/node/replica/member-changes.ts';
import type { RaftInput, RaftView, Reply } from '../../../../src/raft/index.ts';
import { asIndex, asNodeId, asTerm } from '../../../../src/shared/index.ts';
import { configurationOf, peer } from '../../../support/raft-fixtures.ts';

const change = { kind: 'remove', nodeId: asNodeId('c') } as const;
const appended = { kind: 'appended', tag: 1, index: asIndex(5), term: asTerm(1) } as const;

/** A driver and an applier that answer when the test says so. */
class Below {
  readonly submitted: RaftInput[] = [];
  view: Pick<RaftView, 'commitIndex' | 'configuration'> = viewOf(0, 4);
  reply: (reply: Reply) => void = () => undefined;
  settle: (outcome: Outcome) => void = () => undefined;

  readonly tag = (onReply: (reply: Reply) => void): number => {
    this.reply = onReply;
    return 1;
  };

  readonly submit = (input: RaftInput): void => {
    this.submitted.push(input);
  };

  readonly expect = (_index: number, _term: number, resolve: (outcome: Outcome) => void): void => {
    this.settle = resolve;
  };
}

function viewOf(index: number, commitIndex: number, isJoint = false) {
  const outgoingVoters = isJoint ? ['a', 'b', 'c'].map(peer) : [];
  return {
    commitIndex: asIndex(commitIndex),
    configuration: {
      index: asIndex(index),
      configuration: { ...configurationOf('a b'), outgoingVoters },
    },
  };
}

function start(): { below: Below; changes: MemberChanges; replies: Reply[] } {
  const below = new Below();
  const changes = new MemberChanges(below, () => below);
  const replies: Reply[] = [];
  void changes.make([change], asIndex(3)).then((reply) => replies.push(reply));
  return { below, changes, replies };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('MemberChanges', () => {
  it('MemberChanges answers when no former voter is needed any more, not before', async () => {
    const { below, changes, replies } = start();
    expect(below.submitted).to.deep.equal([
      { kind: 'changeMembers', tag: 1, changes: [change], expectedIndex: 3 },
    ]);
    below.reply(appended);
    below.view = viewOf(5, 5, true);
    below.settle({ kind: 'applied', results: [] });
    changes.onConfiguration();
    below.view = viewOf(6, 5);
    changes.onConfiguration();
    await turn();
    expect(replies).to.deep.equal([]);
    below.view = viewOf(6, 6);
    changes.onConfiguration();
    await turn();
    expect(replies).to.deep.equal([appended]);
  });

  it('MemberChanges answers at once when the voters stay the same', async () => {
    const { below, replies } = start();
    below.reply(appended);
    below.view = viewOf(5, 5);
    below.settle({ kind: 'applied', results: [] });
    await turn();
    expect(replies).to.deep.equal([appended]);
  });

  it('MemberChanges passes refusals on, and says when the outcome is open', async () => {
    const refused = start();
    const refusal: Reply = {
      ...{ kind: 'refused', tag: 1, reason: 'busy', leader: null },
      message: 'Cannot change',
    };
    refused.below.reply(refusal);
    const lost = start();
    lost.below.reply(appended);
    lost.below.settle({ kind: 'lost' });
    const stopped = start();
    stopped.below.reply(appended);
    stopped.below.view = viewOf(5, 5, true);
    stopped.below.settle({ kind: 'applied', results: [] });
    stopped.changes.abandon();
    await turn();
    expect(refused.replies).to.deep.equal([refusal]);
    for (const { replies } of [lost, stopped]) {
      expect(replies[0]).to.deep.include({ kind: 'refused', reason: 'abandoned' });
    }
  });
});
