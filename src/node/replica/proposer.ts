import type { RefusalReason, Reply } from '../../raft/index.ts';
import type { CommandResult } from '../../store/index.ts';
import { encodeBatch } from '../../store/index.ts';
import type { Applier, Outcome } from './applier.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ProposedEntry, ReplicaObserver } from './replica-init.ts';

/** What became of one command. refused and lost: surely not applied, may be tried again. */
export type ProposalOutcome =
  | { readonly kind: 'applied'; readonly result: CommandResult }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  | { readonly kind: 'lost' }
  | { readonly kind: 'unknown' };

interface Waiting {
  readonly envelope: Uint8Array;
  readonly resolve: (outcome: ProposalOutcome) => void;
}

/** Commands of one entry, proposed at this monotonic time. */
interface Group {
  readonly commands: readonly Waiting[];
  readonly atMs: number;
}

const envelopesPerEntryMax = 512;
/** Commands that may wait for an entry; beyond it they are refused as overloaded. */
const waitingMax = 16_384;

export interface ProposerInit {
  readonly driver: Pick<RaftDriver, 'tag' | 'submit' | 'isWriting' | 'view'>;
  readonly applier: () => Pick<Applier, 'expect'>;
  /** A command that is larger gets an entry of its own. */
  readonly entryBytesMax: number;
  /** Unix milliseconds; the replicated clock is made from it. */
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
  readonly onProposed: ReplicaObserver['proposed'];
  /** Runs after the events that wait now: what arrives in one turn shares an entry. */
  readonly afterThisTurn: (run: () => void) => void;
}

/**
 * Gathers commands into entries on the leader: what arrives while a log write is in flight
 * goes into the next entry (group commit), so the disk is always busy and never queued.
 */
export class Proposer {
  readonly #init: ProposerInit;
  #waiting: Waiting[] = [];
  #flushPlanned = false;

  constructor(init: ProposerInit) {
    this.#init = init;
  }

  /** `resolve` is called exactly once. */
  propose(envelope: Uint8Array, resolve: (outcome: ProposalOutcome) => void): void {
    if (this.#waiting.length >= waitingMax) {
      const message = `Cannot take a command as one of ${waitingMax} that wait: all places are taken`;
      resolve({ kind: 'refused', reason: 'overloaded', message });
      return;
    }
    this.#waiting.push({ envelope, resolve });
    this.#plan();
  }

  /** The disk is free again: what gathered meanwhile goes. */
  onDiskIdle(): void {
    this.#flush();
  }

  /**
   * Who leads no more appends nothing: what waits for its disk, which may hang, is refused now, before
   * its clients hear of the next leader.
   */
  onRoleChange(): void {
    if (!this.#mayAppend) this.#refuseAll('this node leads no more');
  }

  /** The node stops: what still waits was surely not appended. */
  abandon(): void {
    this.#refuseAll('the node stops');
  }

  #refuseAll(message: string): void {
    for (const one of this.#waiting.splice(0)) {
      one.resolve({ kind: 'refused', reason: 'notLeader', message });
    }
  }

  get #mayAppend(): boolean {
    return this.#init.driver.view.role === 'leader';
  }

  #plan(): void {
    if (this.#flushPlanned || (this.#init.driver.isWriting && this.#mayAppend)) return;
    this.#flushPlanned = true;
    this.#init.afterThisTurn(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    const proposals: { tag: number; payload: Uint8Array }[] = [];
    const atMs = this.#init.monotonicMs();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      const payload = encodeBatch({
        timeMs: this.#init.wallMs(),
        envelopes: group.map((one) => one.envelope),
      });
      proposals.push({
        tag: this.#init.driver.tag((reply) => this.#onReply({ commands: group, atMs }, reply)),
        payload,
      });
    }
    if (proposals.length > 0) this.#init.driver.submit({ kind: 'propose', proposals });
  }

  #takeGroup(): Waiting[] {
    const { entryBytesMax } = this.#init;
    let bytes = 0;
    let count = 0;
    for (const one of this.#waiting) {
      bytes += one.envelope.length;
      if (count > 0 && (count >= envelopesPerEntryMax || bytes > entryBytesMax)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #onReply(group: Group, reply: Reply): void {
    if (reply.kind === 'appended') {
      this.#init.applier().expect(reply.index, reply.term, (outcome) => {
        this.#measure(group, outcome.kind);
        settle(group.commands, outcome);
      });
      return;
    }
    const reason = reply.kind === 'refused' ? reply.reason : 'notLeader';
    const message = reply.kind === 'refused' ? reply.message : '';
    this.#measure(group, 'refused');
    for (const one of group.commands) one.resolve({ kind: 'refused', reason, message });
  }

  #measure({ commands, atMs }: Group, result: ProposedEntry['result']): void {
    const { monotonicMs, onProposed } = this.#init;
    onProposed({ result, count: commands.length, ms: monotonicMs() - atMs });
  }
}

function settle(group: readonly Waiting[], outcome: Outcome): void {
  for (const [i, one] of group.entries()) {
    if (outcome.kind !== 'applied') {
      one.resolve(outcome);
      continue;
    }
    const result = outcome.results[i];
    one.resolve(result === undefined ? { kind: 'unknown' } : { kind: 'applied', result });
  }
}
