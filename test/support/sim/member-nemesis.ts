import type { Member, MemberChange } from '../../../src/raft/index.ts';
import { peerIdOfMember } from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { asIncarnation, asNodeId } from '../../../src/shared/index.ts';
import type { Scene } from './scene.ts';
import type { SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

/** How long it is waited for somebody who joins. */
const LEARNER_MS_MAX = 10_000;

/** What operators do, at bad times. */
export const memberActs = {
  transfer: (scene: Scene): void => {
    const { leader } = scene.cluster;
    if (leader?.isResponsive !== true) return;
    const to = happens(scene.random, 500) ? (scene.anyNode()?.self ?? null) : null;
    scene.count('transfer');
    scene.note(`${leader.name} is to hand over to ${to ?? 'the best'}`);
    void leader.replica?.transfer(to).then((reply) => {
      if (reply.kind === 'transferred') scene.cluster.counts.transfers++;
    });
  },

  /** One member goes; another incarnation will take its place. */
  evict: (scene: Scene): void => {
    const node = scene.importantNode();
    if (node === undefined || !scene.cluster.isSettled) return;
    ask(scene, 'evict', [removalOf(scene, node)]);
  },

  /** Several go at once, maybe in the place of others that come. */
  churn: (scene: Scene): void => {
    if (!scene.cluster.isSettled) return;
    const { nodes } = scene.cluster;
    const count = between(scene.random, 1, nodes.length - 1);
    const first = scene.random.intBelow(nodes.length);
    const chosen = [...nodes.slice(first), ...nodes.slice(0, first)].slice(0, count);
    ask(
      scene,
      'churn',
      chosen.map((node) => removalOf(scene, node)),
    );
  },

  /** Where a member is, or is said to be, changes. */
  update: (scene: Scene): void => {
    const node = scene.anyNode();
    if (node === undefined) return;
    const zone = `zone ${scene.random.intBelow(100)}`;
    ask(scene, 'update', [{ kind: 'update', member: { ...node.member, zone } }]);
  },

  /** What makes no sense, or makes none any more: it must be refused, and change nothing. */
  nonsense: (scene: Scene): void => {
    const node = scene.anyNode();
    if (node === undefined) return;
    scene.count('nonsense');
    ask(scene, 'nonsense', nonsenseAbout(scene, node));
  },

  /** Earlier than the leader would itself, and several at once. */
  promote: (scene: Scene): void => {
    const isSo = (): boolean => learnersThatFollow(scene).length > 0;
    scene.when({ isSo, everyMs: 5, withinMs: LEARNER_MS_MAX }, () => {
      const changes = learnersThatFollow(scene).map(
        ({ nodeId }) => ({ kind: 'promote', nodeId }) as const,
      );
      ask(scene, 'promote', changes);
    });
  },
};

/** Their leader sends them its log as it grows; before that it would refuse. */
function learnersThatFollow({ cluster }: Scene): readonly Member[] {
  const { configuration, view } = cluster.leader?.replica ?? {};
  const follows = (peer: PeerId): boolean =>
    view?.peers.find((one) => one.peer === peer)?.state === 'replicate';
  const learners = configuration?.members.filter(({ role }) => role === 'learner') ?? [];
  return learners.filter((member) => follows(peerIdOfMember(member)));
}

function nonsenseAbout(scene: Scene, { member }: SimNode): readonly MemberChange[] {
  const stranger = asNodeId(`stranger${scene.random.intBelow(10)}`);
  const { members = [], removed = [] } = scene.cluster.leader?.replica?.configuration ?? {};
  // To promote an observer makes sense, but the simulation wants it to stay one.
  const voter = members.find(({ role }) => role === 'voter')?.nodeId ?? stranger;
  // Only its own: an incarnation that nobody has had yet may be its next one.
  const gone = removed.find((peer) => peer.startsWith(`${member.nodeId}@`))?.split('@')[1];
  const incarnation = gone === undefined ? member.incarnation : asIncarnation(gone);
  const all: readonly (readonly MemberChange[])[] = [
    [],
    [{ kind: 'add', member }],
    [{ kind: 'add', member: { ...member, role: 'voter', nodeId: stranger } }],
    [{ kind: 'add', member: { ...member, role: 'learner', nodeId: stranger } }],
    [{ kind: 'add', member: { ...member, role: 'learner', incarnation } }],
    [{ kind: 'remove', nodeId: stranger }],
    [{ kind: 'promote', nodeId: stranger }],
    [{ kind: 'promote', nodeId: voter }],
    [{ kind: 'update', member: { ...member, nodeId: stranger } }],
    scene.cluster.nodes.map((node) => ({ kind: 'remove', nodeId: node.member.nodeId })),
  ];
  return anyOf(scene.random, all) ?? [];
}

function removalOf(scene: Scene, { member }: SimNode): MemberChange {
  const { nodeId, incarnation } = member;
  return { kind: 'remove', nodeId, incarnation, safely: happens(scene.random, 300) };
}

type MemberFault = 'evict' | 'churn' | 'update' | 'promote' | 'nonsense';

/** Whoever takes himself for the leader, maybe two at once. What is taken counts. */
function ask(scene: Scene, fault: MemberFault, changes: readonly MemberChange[]): void {
  const leaders = scene.cluster.nodes.filter(({ replica }) => replica?.isLeader === true);
  for (const leader of leaders) {
    void scene.cluster.changeMembers(leader, changes).then((isTaken) => {
      if (isTaken && fault !== 'nonsense') scene.count(fault);
    });
  }
  const another = anyOf(scene.random, leaders);
  // The next one is refused while the one before is under way.
  if (another !== undefined && happens(scene.random, 100)) {
    void scene.cluster.changeMembers(another, changes);
  }
}
