import { expect } from 'chai';
import { Admission } from '../../../../src/node/cluster/admission.ts';
import { encodeIdentity } from '../../../../src/node/cluster/calls.ts';
import type {
  Configuration,
  Member,
  MemberChange,
  PeerView,
  Reply,
} from '../../../../src/raft/index.ts';
import { applyMemberChanges, memberNamed } from '../../../../src/raft/index.ts';
import type { PeerId } from '../../../../src/shared/index.ts';
import { asClusterId, asIndex, asNodeId, asTerm } from '../../../../src/shared/index.ts';
import { configurationOf, member, peer } from '../../../support/raft-fixtures.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { LinesLogger, stateOf } from '../support.ts';

const clusterId = asClusterId('c1');
const timeoutMs = 1_000;

/** A leader that appends one change at a time; the test commits them, or not. */
class Stage {
  readonly clock = new VirtualClock();
  configuration: Configuration = configurationOf('a b c');
  role: 'leader' | 'follower' = 'leader';
  /** Who listens at the address that is to be let in. */
  newcomer: Member = member('d', 'learner');
  /** Who answered just now. */
  alive: readonly PeerId[] = [];
  readonly admission: Admission;
  #index = 1;
  #commitIndex = 1;
  #resolve: (reply: Reply) => void = () => undefined;

  constructor() {
    this.admission = new Admission({
      clusterId,
      replica: this.#replica(),
      clock: this.clock,
      logger: new LinesLogger(),
      callAddress: () => Promise.resolve(encodeIdentity({ clusterId, member: this.newcomer })),
    });
  }

  join(): Promise<void> {
    return watched(this.admission.join('d:1', timeoutMs));
  }

  leave(address: string): Promise<void> {
    return watched(this.admission.leave(address, true, timeoutMs));
  }

  change(change: MemberChange): Promise<Reply> {
    if (this.#index > this.#commitIndex) return Promise.resolve(refused('busy', 'one at a time'));
    const result = applyMemberChanges(this.configuration, [change]);
    if (!result.ok) return Promise.resolve(refused('invalid', result.message));
    this.configuration = result.configuration;
    this.#index++;
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  commit(): void {
    this.#commitIndex = this.#index;
    const [index, term] = [asIndex(this.#index), asTerm(1)];
    this.#resolve({ kind: 'appended', tag: 1, index, term });
  }

  abandon(): void {
    this.#resolve(refused('abandoned', 'another leader took over'));
  }

  #viewed() {
    const { role, configuration } = this;
    const commitIndex = asIndex(this.#commitIndex);
    const indexed = { index: asIndex(this.#index), configuration };
    const peers = this.alive.map((one) => ({ peer: one, silentMs: 0 }) as PeerView);
    return { role, peers, commitIndex, configuration: indexed };
  }

  #replica() {
    const view = () => this.#viewed();
    return {
      self: peer('a'),
      changeMembers: (change: MemberChange | readonly MemberChange[]) =>
        this.change(change as MemberChange),
      get view() {
        return view();
      },
      get configuration() {
        return view().configuration.configuration;
      },
      get isLeader() {
        return view().role === 'leader';
      },
    };
  }
}

function refused(reason: 'busy' | 'invalid' | 'abandoned', message: string): Reply {
  return { kind: 'refused', tag: 1, reason, leader: null, message };
}

/** A rejection that the test looks at later is no unhandled one. */
function watched(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

const messageOf = (promise: Promise<void>): Promise<unknown> => promise.catch(String);
const addD = { kind: 'add', member: member('d', 'learner') } as const;
const removeC = { kind: 'remove', nodeId: asNodeId('c') } as const;

describe('Admission', () => {
  it('cannot tell what came of a join that lists the member but is not committed in time', async () => {
    const stage = new Stage();
    const joined = stage.join();
    await stage.clock.advance(timeoutMs - 1);
    expect(memberNamed(stage.configuration, asNodeId('d'))).to.not.equal(undefined);
    expect(await stateOf(joined)).to.equal('open');
    await stage.clock.advance(2);
    expect(await stateOf(joined)).to.equal('UNKNOWN_OUTCOME');
  });

  it('cannot tell what came of a join that another leader may have cut off', async () => {
    const stage = new Stage();
    const joined = stage.join();
    await stage.clock.advance(10);
    stage.abandon();
    await stage.clock.advance(0);
    expect(await stateOf(joined)).to.equal('UNKNOWN_OUTCOME');
  });

  it('lets a second join of the same node wait for the commit of the first', async () => {
    const stage = new Stage();
    void stage.change(addD);
    const joined = stage.join();
    await stage.clock.advance(timeoutMs / 2);
    expect(await stateOf(joined)).to.equal('open');
    stage.commit();
    await stage.clock.advance(100);
    expect(await stateOf(joined)).to.equal(undefined);
  });

  it('cannot tell whether a node is a member when its addition is not committed in time', async () => {
    const stage = new Stage();
    void stage.change(addD);
    const joined = stage.join();
    await stage.clock.advance(timeoutMs + 100);
    expect(await stateOf(joined)).to.equal('UNKNOWN_OUTCOME');
    expect(await messageOf(joined)).to.match(/change of members at 2 is not over; ask again/);
  });

  it('waits until a joint change is over before it calls somebody a member', async () => {
    const stage = new Stage();
    stage.configuration = { ...configurationOf('a b c d'), outgoingVoters: [peer('a')] };
    const joined = stage.join();
    await stage.clock.advance(timeoutMs / 2);
    expect(await stateOf(joined)).to.equal('open');
    stage.configuration = configurationOf('a b c d');
    await stage.clock.advance(100);
    expect(await stateOf(joined)).to.equal(undefined);
  });

  it('lets a join in that somebody else asked for meanwhile, once that is committed', async () => {
    const stage = new Stage();
    void stage.change(removeC);
    const joined = stage.join();
    await stage.clock.advance(50);
    stage.commit();
    void stage.change(addD);
    await stage.clock.advance(timeoutMs / 2);
    expect(await stateOf(joined)).to.equal('open');
    stage.commit();
    await stage.clock.advance(100);
    expect(await stateOf(joined)).to.equal(undefined);
  });

  it('answers 404 to nobody while the removal may roll back, and at once when it cannot', async () => {
    const stage = new Stage();
    void stage.change(removeC);
    const left = stage.leave('c:1');
    await stage.clock.advance(timeoutMs / 2);
    expect(await stateOf(left)).to.equal('open');
    stage.commit();
    await stage.clock.advance(100);
    expect(await stateOf(left)).to.equal('NOT_FOUND');
    expect(await stateOf(stage.leave('z:1'))).to.equal('NOT_FOUND');
  });

  it('cannot tell whether somebody is gone when the removal is not committed in time', async () => {
    const stage = new Stage();
    void stage.change(removeC);
    const left = stage.leave('c:1');
    await stage.clock.advance(timeoutMs + 100);
    expect(await stateOf(left)).to.equal('UNKNOWN_OUTCOME');
  });

  it('removes nobody who took over the name while other changes were waited for', async () => {
    const stage = new Stage();
    void stage.change({ kind: 'add', member: member('d', 'observer') });
    const left = stage.leave('c:1');
    await stage.clock.advance(50);
    stage.commit();
    void stage.change({ kind: 'add', member: member('c2', 'learner', 'c') });
    stage.commit();
    await stage.clock.advance(100);
    expect(memberNamed(stage.configuration, asNodeId('c'))).to.include({ incarnation: '2' });
    expect(await stateOf(left)).to.equal('CONFLICT');
  });

  it('gives nobody the name that a live node took while other changes were waited for', async () => {
    const stage = new Stage();
    void stage.change({ kind: 'add', member: member('e', 'observer') });
    const joined = stage.join();
    await stage.clock.advance(50);
    stage.commit();
    void stage.change({ kind: 'add', member: member('d2', 'learner') });
    stage.commit();
    stage.alive = [peer('d2')];
    await stage.clock.advance(100);
    expect(memberNamed(stage.configuration, asNodeId('d'))).to.include({ incarnation: '2' });
    expect(await stateOf(joined)).to.equal('CONFLICT');
  });

  it('sends who waits for a commit to the next leader', async () => {
    const stage = new Stage();
    void stage.change(removeC);
    const left = stage.leave('c:1');
    await stage.clock.advance(50);
    stage.role = 'follower';
    await stage.clock.advance(100);
    expect(await stateOf(left)).to.equal('NOT_LEADER');
  });
});
