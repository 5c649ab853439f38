import { assert } from '../shared/index.ts';
import type { LogIndex, PeerId } from '../shared/index.ts';
import { peerIdOfMember, votersOf } from './membership.ts';
import { isElector } from './quorum.ts';
import type { Electorate } from './quorum.ts';
import type { IndexedConfiguration, LogBase, MemberRole } from './types.ts';

/**
 * The configurations of the log, oldest first. The newest is in force from the moment it is
 * appended, and the one before it again when its entry is truncated (thesis 4.1).
 */
export class ConfigurationHistory {
  /** Never empty: the first is the base's. */
  #stack: IndexedConfiguration[];
  #electorate: Electorate = { voters: [], outgoing: [] };
  #roles: ReadonlyMap<PeerId, MemberRole> = new Map();

  constructor(base: LogBase, above: readonly IndexedConfiguration[]) {
    this.#stack = [base.configuration, ...above];
    this.#derive();
  }

  get current(): IndexedConfiguration {
    return this.#at(this.#stack.length - 1);
  }

  get electorate(): Electorate {
    return this.#electorate;
  }

  /** All members of the configuration in force. */
  get roles(): ReadonlyMap<PeerId, MemberRole> {
    return this.#roles;
  }

  isVoter(peer: PeerId): boolean {
    return isElector(this.#electorate, peer);
  }

  /**
   * Whether `peer` may stand for election. A voter that an uncommitted entry of its own log
   * removes still may: it can be the only one with a log good enough to win (thesis 4.2.2).
   */
  mayCampaign(peer: PeerId, commitIndex: LogIndex): boolean {
    if (this.isVoter(peer)) return true;
    if (this.current.index <= commitIndex || this.#stack.length < 2) return false;
    const before = this.#at(this.#stack.length - 2).configuration;
    return votersOf(before).includes(peer) || before.outgoingVoters.includes(peer);
  }

  push(configuration: IndexedConfiguration): void {
    const { index } = this.current;
    assert(
      configuration.index > index,
      `Configuration at ${configuration.index} must come after the one at ${index}`,
    );
    this.#stack.push(configuration);
    this.#derive();
  }

  /** Forgets configurations at and above `index`. Returns whether another is now in force. */
  truncateFrom(index: LogIndex): boolean {
    const kept = this.#stack.filter((configuration) => configuration.index < index);
    if (kept.length === this.#stack.length) return false;
    assert(kept.length > 0, `Truncation from ${index} must leave a configuration`);
    this.#stack = kept;
    this.#derive();
    return true;
  }

  /** Forgets what only entries up to the base needed. The configuration in force stays. */
  compact(base: LogBase): void {
    const above = this.#stack.filter(({ index }) => index > base.index);
    this.#stack = [base.configuration, ...above];
    this.#derive();
  }

  /** Starts again from an installed snapshot. */
  reset(base: LogBase): void {
    this.#stack = [base.configuration];
    this.#derive();
  }

  #at(position: number): IndexedConfiguration {
    const configuration = this.#stack[position];
    assert(configuration !== undefined, `Configuration ${position} must exist`);
    return configuration;
  }

  #derive(): void {
    const { configuration } = this.current;
    this.#electorate = {
      voters: votersOf(configuration),
      outgoing: configuration.outgoingVoters,
    };
    const roles = new Map<PeerId, MemberRole>();
    for (const peer of configuration.outgoingVoters) roles.set(peer, 'voter');
    for (const member of configuration.members) roles.set(peerIdOfMember(member), member.role);
    this.#roles = roles;
  }
}
