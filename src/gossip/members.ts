import type { NodeId, Random } from '../shared/index.ts';
import type { MemberRecord } from '../wire/index.ts';
import { limits } from './limits.ts';

/** One other node. */
export interface Member {
  readonly nodeId: NodeId;
  record: MemberRecord;
  /** When it died or left, in this process's time; 0 while it lives. */
  endedAtMs: number;
  /** When it was last told what is said of it. */
  accusedAtMs: number;
}

export const isEnded = (record: MemberRecord): boolean =>
  record.status === 'dead' || record.status === 'left';

/** All other nodes by name. Bounded by limits.membersMax. */
export class MemberTable {
  readonly #members = new Map<NodeId, Member>();
  #activeCount = 0;

  get size(): number {
    return this.#members.size;
  }

  /** Members alive or suspected, this node not counted. */
  get activeCount(): number {
    return this.#activeCount;
  }

  get(nodeId: NodeId): Member | undefined {
    return this.#members.get(nodeId);
  }

  values(): IterableIterator<Member> {
    return this.#members.values();
  }

  /** Adds a member; false when the table is full of living ones. */
  add(record: MemberRecord, endedAtMs: number): boolean {
    if (this.#members.size >= limits.membersMax) return false;
    const member = { nodeId: record.nodeId, record, endedAtMs, accusedAtMs: -Infinity };
    this.#members.set(record.nodeId, member);
    if (!isEnded(record)) this.#activeCount++;
    return true;
  }

  change(member: Member, record: MemberRecord, endedAtMs: number): void {
    this.#activeCount += Number(isEnded(member.record)) - Number(isEnded(record));
    member.record = record;
    member.endedAtMs = endedAtMs;
  }

  remove(member: Member): void {
    if (!isEnded(member.record)) this.#activeCount--;
    this.#members.delete(member.nodeId);
  }

  /** The member that ended longest ago. */
  longestEnded(): Member | undefined {
    let oldest: Member | undefined;
    for (const member of this.#members.values())
      if (isEnded(member.record) && (!oldest || member.endedAtMs < oldest.endedAtMs))
        oldest = member;
    return oldest;
  }

  /** At most `count` different members that are accepted, drawn evenly. */
  pick(count: number, random: Random, isAccepted: (member: Member) => boolean): Member[] {
    const candidates = [...this.#members.values()].filter(isAccepted);
    const picked: Member[] = [];
    while (picked.length < count && candidates.length > 0) {
      const index = random.intBelow(candidates.length);
      const [member] = candidates.splice(index, 1);
      if (member) picked.push(member);
    }
    return picked;
  }

  pickActive(count: number, random: Random, except?: NodeId): Member[] {
    return this.pick(
      count,
      random,
      (member) => !isEnded(member.record) && member.nodeId !== except,
    );
  }
}
