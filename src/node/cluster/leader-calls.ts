import type { Member } from '../../raft/index.ts';
import { listedPeer, memberNamed, peerIdOfMember } from '../../raft/index.ts';
import type { Clock, NodeId, Revision } from '../../shared/index.ts';
import { asRevision, codeOf, pause, QuorateError } from '../../shared/index.ts';
import type { PeerTransport } from '../../transport/index.ts';
import type { DigestMark, Replica } from '../replica/index.ts';
import type { Explanations } from '../watching/index.ts';
import type { Admission } from './admission.ts';
import {
  decodeAddressRequest,
  decodeExplanations,
  decodeKeys,
  decodeMember,
  decodeNumber,
  decodeTransfer,
  encodeAddressRequest,
  encodeExplanations,
  encodeKeys,
  encodeMember,
  encodeNumber,
  encodeTransfer,
  methods,
} from './calls.ts';
import type { ConditionBook } from './condition-book.ts';
import type { Condition } from './condition.ts';
import { decodeCondition, decodeVerdict, encodeCondition, encodeVerdict } from './condition.ts';
import { handOverTo } from './handing-over.ts';
import { decodeProgress, encodeProgress } from './progress.ts';
import type { MemberProgress } from './progress.ts';
import { isSettled } from './settled.ts';

const askTimeoutMs = 1_000;
const updateTimeoutMs = 5_000;
const retryMs = 200;
const pollMs = 20;
/** Failures that say: surely not done, another try may find a leader. */
const retriable: ReadonlySet<string> = new Set([
  'NO_LEADER',
  'NOT_LEADER',
  'OVERLOADED',
  'STOPPED',
]);

export interface LeaderCallsInit {
  readonly clock: Clock;
  readonly transport: PeerTransport;
  readonly replica: Replica;
  readonly admission: Admission;
  readonly book: ConditionBook;
  readonly isNotifying: (eventId: Revision) => boolean;
  /** What this node decides about keys; null: it is not the one who decides. */
  readonly explain: (keys: readonly string[]) => Explanations | null;
}

interface Call {
  readonly method: string;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

/** What nodes ask of each other, and above all of the leader. */
export class LeaderCalls {
  readonly #init: LeaderCallsInit;
  #stopped = false;

  constructor(init: LeaderCallsInit) {
    this.#init = init;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Makes the node at this address a member, through whoever leads. */
  async join(address: string, timeoutMs: number): Promise<void> {
    const body = encodeAddressRequest({ address, force: false, timeoutMs });
    await this.#toLeader({ method: methods.join, body, timeoutMs });
  }

  async leave(address: string, force: boolean, timeoutMs: number): Promise<void> {
    const deadlineMs = this.#init.clock.monotonicMs() + timeoutMs;
    const wasMember = this.#hasMemberAt(address);
    const body = encodeAddressRequest({ address, force, timeoutMs });
    try {
      await this.#toLeader({ method: methods.leave, body, timeoutMs });
    } catch (error) {
      // A leader that removes itself may be cut off before it can say so.
      const isOpen = wasMember && codeOf(error) === 'UNKNOWN_OUTCOME';
      if (!isOpen || !(await this.#isGoneBy(address, deadlineMs))) throw error;
    }
  }

  /** Hands leadership to the member of this id; resolves when this node sees it lead. */
  async transfer(nodeId: string, timeoutMs: number): Promise<void> {
    const deadlineMs = this.#init.clock.monotonicMs() + timeoutMs;
    const body = encodeTransfer({ nodeId, timeoutMs });
    await this.#toLeader({ method: methods.transfer, body, timeoutMs });
    const { replica } = this.#init;
    await this.#isTrueBy(deadlineMs, () => {
      const { leader } = replica.view;
      return leader !== null && listedPeer(replica.configuration, leader)?.nodeId === nodeId;
    });
  }

  #isGoneBy(address: string, deadlineMs: number): Promise<boolean> {
    const { replica } = this.#init;
    return this.#isTrueBy(deadlineMs, () => isSettled(replica.view) && !this.#hasMemberAt(address));
  }

  async #isTrueBy(deadlineMs: number, condition: () => boolean): Promise<boolean> {
    const { clock } = this.#init;
    for (;;) {
      if (condition()) return true;
      if (this.#stopped || clock.monotonicMs() >= deadlineMs) return false;
      await pause(clock, pollMs);
    }
  }

  #hasMemberAt(address: string): boolean {
    const { members } = this.#init.replica.configuration;
    return members.some(({ raftAddress }) => raftAddress === address);
  }

  /** Tells the leader where this member is now. */
  async update(member: Member): Promise<void> {
    const body = encodeMember(member);
    await this.#toLeader({ method: methods.update, body, timeoutMs: updateTimeoutMs });
  }

  /** What the leader knows of the members; null when it does not answer. */
  async progress(): Promise<readonly MemberProgress[] | null> {
    const call = { method: methods.progress, body: encodeNumber(0), timeoutMs: askTimeoutMs };
    try {
      return decodeProgress(await this.#toLeader(call));
    } catch {
      return null;
    }
  }

  /** Tells the leader how this node is. Resolves with what a majority has where its state differs. */
  async report(condition: Condition): Promise<DigestMark | null> {
    const body = encodeCondition(condition);
    const call = { method: methods.condition, body, timeoutMs: askTimeoutMs };
    return decodeVerdict(await this.#toLeader(call));
  }

  /** What the leader decides about these keys now, and why; null when it does not answer. */
  async explain(keys: readonly string[]): Promise<Explanations | null> {
    const call = { method: methods.explain, body: encodeKeys(keys), timeoutMs: askTimeoutMs };
    try {
      return decodeExplanations(await this.#toLeader(call));
    } catch {
      return null;
    }
  }

  /** Whether `holder` still runs the notification of this event; null when it cannot be asked. */
  async askHolder(holder: NodeId, eventId: Revision): Promise<boolean | null> {
    const member = memberNamed(this.#init.replica.configuration, holder);
    if (member === undefined) return null;
    const body = encodeNumber(eventId);
    try {
      const to = peerIdOfMember(member);
      const answer = await this.#init.transport.call(to, methods.isNotifying, body, askTimeoutMs);
      return decodeNumber(answer) === 1;
    } catch {
      return null;
    }
  }

  /** Answers a peer; what only the leader can do is refused elsewhere with NOT_LEADER. */
  async answer(method: string, body: Uint8Array): Promise<Uint8Array> {
    const { replica, admission, isNotifying } = this.#init;
    const nothing = new Uint8Array();
    switch (method) {
      case methods.propose:
        return replica.onPropose(body);
      case methods.join: {
        const { address, timeoutMs } = decodeAddressRequest(body);
        return admission.join(address, timeoutMs).then(() => nothing);
      }
      case methods.leave: {
        const { address, force, timeoutMs } = decodeAddressRequest(body);
        return admission.leave(address, force, timeoutMs).then(() => nothing);
      }
      case methods.transfer: {
        const { nodeId, timeoutMs } = decodeTransfer(body);
        return handOverTo(this.#init, nodeId, timeoutMs).then(() => nothing);
      }
      case methods.update:
        return admission.update(decodeMember(body), updateTimeoutMs).then(() => nothing);
      case methods.isNotifying:
        return encodeNumber(isNotifying(asRevision(decodeNumber(body))) ? 1 : 0);
      case methods.progress:
        return this.#ownProgress();
      case methods.condition:
        return this.#verdictOn(decodeCondition(body));
      case methods.explain:
        return this.#ownExplanations(decodeKeys(body));
      default:
        throw new QuorateError(
          'PARAM_INVALID',
          `Cannot answer a call of ${JSON.stringify(method)}`,
        );
    }
  }

  /** Tries again what was surely not done until the time is up. */
  async #toLeader(call: Call): Promise<Uint8Array> {
    const { clock } = this.#init;
    const deadlineMs = clock.monotonicMs() + call.timeoutMs;
    for (;;) {
      const leftMs = deadlineMs - clock.monotonicMs();
      try {
        return await this.#ask(call, Math.max(1, leftMs));
      } catch (error) {
        if (!(error instanceof QuorateError) || !retriable.has(error.code)) throw error;
        if (leftMs <= retryMs || this.#stopped) {
          const message = `Cannot carry this out: ${error.message}`;
          throw new QuorateError('NO_LEADER', message, { cause: error });
        }
        await pause(clock, retryMs);
      }
    }
  }

  async #ask({ method, body }: Call, timeoutMs: number): Promise<Uint8Array> {
    const { replica, transport } = this.#init;
    const { leader } = replica.view;
    if (leader === replica.self) return this.answer(method, body);
    if (leader === null) throw new QuorateError('NO_LEADER', 'no leader is known');
    try {
      return await transport.call(leader, method, body, timeoutMs + askTimeoutMs);
    } catch (error) {
      // UNREACHABLE with a broken link is about the leader itself; else it speaks of a third node.
      const link = transport.status().find((one) => one.peer === leader);
      const isLink = error instanceof QuorateError && error.code === 'UNREACHABLE';
      if (!isLink || link?.connected === true) throw error;
      throw new QuorateError('NO_LEADER', error.message, { cause: error });
    }
  }

  #ownExplanations(keys: readonly string[]): Uint8Array {
    const explanations = this.#init.explain(keys);
    if (explanations !== null) return encodeExplanations(explanations);
    throw new QuorateError('NOT_LEADER', 'this node does not decide');
  }

  #verdictOn(condition: Condition): Uint8Array {
    const { replica, book } = this.#init;
    if (replica.view.role === 'leader') return encodeVerdict(book.take(condition));
    throw new QuorateError('NOT_LEADER', 'this node does not lead');
  }

  #ownProgress(): Uint8Array {
    const { view, self } = this.#init.replica;
    if (view.role !== 'leader') throw new QuorateError('NOT_LEADER', 'this node does not lead');
    const own = { peer: self, matchIndex: view.lastIndex, silentMs: 0 };
    return encodeProgress([own, ...view.peers]);
  }
}
