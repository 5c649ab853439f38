import type {
  ClusterApi,
  LeaderAddresses,
  MembersConsensus,
  MemberSummary,
  Readiness,
  WaitOptions,
} from '../../http/index.ts';
import type { Member } from '../../raft/index.ts';
import { peerIdOfMember } from '../../raft/index.ts';
import { pause, QuorateError } from '../../shared/index.ts';
import type { ClusterMember } from '../cluster-member.ts';
import type { MemberProgress } from '../cluster/progress.ts';
import type { CurrentMember } from './current-member.ts';

const inGossip = new Set(['alive', 'suspect']);
const pollMs = 50;

/** Members and their changes as HTTP sees them. */
export class NodeClusterApi implements ClusterApi {
  readonly #current: CurrentMember;

  constructor(current: CurrentMember) {
    this.#current = current;
  }

  leader(): LeaderAddresses | null {
    const leader = this.#current.member()?.leader;
    return leader ? { raft: leader.raftAddress, http: leader.httpAddress } : null;
  }

  raftAddresses(): readonly string[] {
    return this.#members().map((member) => member.raftAddress);
  }

  gossipAddresses(): readonly string[] {
    return this.#gossipMembers().map((member) => member.address);
  }

  membersConsensus(): MembersConsensus {
    const raft = this.#members().map((member): string => member.nodeId);
    const gossip = this.#gossipMembers().map((member): string => member.nodeId);
    const same = raft.length > 0 && [...raft].sort().join('\n') === [...gossip].sort().join('\n');
    return { same, raft, gossip };
  }

  async members(): Promise<readonly MemberSummary[]> {
    const member = this.#current.member();
    if (member === null) return [];
    const progress = await member.calls.progress();
    return this.#members().map((one) => summaryOf(one, member, progress));
  }

  async join(raftAddress: string, { timeoutMs }: WaitOptions): Promise<void> {
    await (await this.#current.waitFor(timeoutMs)).calls.join(raftAddress, timeoutMs);
  }

  async leave(
    raftAddress: string,
    { timeoutMs, force }: WaitOptions & { force: boolean },
  ): Promise<void> {
    await (await this.#current.waitFor(timeoutMs)).calls.leave(raftAddress, force, timeoutMs);
  }

  async transfer(nodeId: string, { timeoutMs }: WaitOptions): Promise<void> {
    await (await this.#current.waitFor(timeoutMs)).calls.transfer(nodeId, timeoutMs);
  }

  async gossipJoin(addresses: readonly string[], { timeoutMs }: WaitOptions): Promise<void> {
    const member = await this.#current.waitFor(timeoutMs);
    member.presence.join(addresses);
    const { clock } = this.#current;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const silent = addresses.filter((address) => !member.presence.answers(address));
      if (silent.length === 0) return;
      if (clock.monotonicMs() >= deadlineMs) {
        throw new QuorateError(
          'UNREACHABLE',
          `Cannot join gossip: ${silent.join(', ')} did not answer`,
        );
      }
      await pause(clock, pollMs);
    }
  }

  gossipLeave(): Promise<void> {
    this.#current.member()?.presence.leave();
    return Promise.resolve();
  }

  readiness(): Readiness {
    const member = this.#current.member();
    if (member === null) return notReady('this node belongs to no cluster yet');
    if (member.isRemoved)
      return notReady('this node was removed from the cluster; /join lets it in again');
    const problems: string[] = [];
    if (member.leader === null) problems.push('no leader is known');
    if (!member.isLive) problems.push('the state is not caught up yet');
    if (member.replica.isDiskStalled) problems.push('the disk hangs: a write is not done yet');
    return { ready: problems.length === 0, problems, warnings: warningsOf(member) };
  }

  #members(): readonly Member[] {
    return this.#current.members();
  }

  #gossipMembers() {
    const members = this.#current.member()?.gossip.members() ?? [];
    return members.filter((member) => inGossip.has(member.status));
  }
}

const notReady = (problem: string): Readiness => ({
  ready: false,
  problems: [problem],
  warnings: [],
});

function warningsOf(member: ClusterMember): string[] {
  const warnings: string[] = [];
  const { noSpace } = member.replica.state.machine;
  if (noSpace !== '') warnings.push(`values are refused: too little disk is left on ${noSpace}`);
  else if (member.condition.isLow) warnings.push('too little disk is left on this node');
  const shortfall = member.watching.shortfall();
  if (shortfall !== null) warnings.push(`no event can be agreed on: ${shortfall}`);
  if (member.watching.abstains) warnings.push('this node abstains: its own timers were late');
  if (member.presence.hasLeft)
    warnings.push('this node abstains: it left gossip, /gossipjoin brings it back');
  return warnings;
}

function summaryOf(
  one: Member,
  member: ClusterMember,
  progress: readonly MemberProgress[] | null,
): MemberSummary {
  const peer = peerIdOfMember(one);
  const known = progress?.find((candidate) => candidate.peer === peer);
  return {
    id: one.nodeId,
    incarnation: one.incarnation,
    role: member.replica.view.leader === peer ? 'leader' : one.role,
    zone: one.zone,
    addresses: { http: one.httpAddress, raft: one.raftAddress, gossip: one.gossipAddress },
    matchIndex: known?.matchIndex ?? null,
    lastContactMs: known?.silentMs ?? null,
  };
}
