import type { Clock, Cancel, ErrorCode, PeerId } from '../../shared/index.ts';
import { codeOf, QuorateError } from '../../shared/index.ts';
import type { CommandResult } from '../../store/index.ts';
import type { WireOutcome } from '../../wire/index.ts';
import type { ProposalOutcome } from './proposer.ts';

/** Commands of this node's clients that are not answered yet; more are refused as overloaded. */
const openMax = 16_384;
const sweepMs = 50;
/** What one call to the leader carries; a single larger command goes alone. */
const forwardBytesMax = 1024 * 1024;
const forwardCountMax = 1_024;
/** Failures of a call that surely did not reach the leader's log. */
const surelyNotAppended: ReadonlySet<ErrorCode | undefined> = new Set([
  'UNREACHABLE',
  'OVERLOADED',
  'NO_LEADER',
  'STOPPED',
] as const);

export type Applied = Extract<CommandResult, { ok: true }>;

interface Refusal {
  readonly reason: string;
  readonly message: string;
}

interface Command {
  readonly envelope: Uint8Array;
  readonly deadlineMs: number;
  /** Its session keeps it from being applied twice. */
  readonly isRepeatable: boolean;
  /** sent: it may be in a log by now, so its end without an answer is an unknown outcome. */
  state: 'parked' | 'sent' | 'settled';
  /** Parked, but an earlier try may be in a log. */
  mayBeAppended: boolean;
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: QuorateError) => void;
}

export interface CommandClientInit {
  readonly clock: Clock;
  /** null: nobody known. */
  readonly leader: () => PeerId | null;
  readonly isLeader: () => boolean;
  readonly proposeHere: (envelope: Uint8Array, resolve: (outcome: ProposalOutcome) => void) => void;
  /** Asks a peer; answers one outcome per envelope. Rejects as PeerTransport.call does. */
  readonly forward: (
    to: PeerId,
    envelopes: readonly Uint8Array[],
    timeoutMs: number,
  ) => Promise<readonly WireOutcome[]>;
}

/**
 * Brings commands of clients to the leader, wherever it is. What was surely not appended is tried
 * again until the deadline (NO_LEADER); what may have been is UNKNOWN_OUTCOME, unless a session makes
 * trying again safe.
 */
export class CommandClient {
  readonly #init: CommandClientInit;
  readonly #open = new Set<Command>();
  #toForward: Command[] = [];
  #forwardPlanned = false;
  #cancelSweep: Cancel | null = null;
  #stopped = false;

  constructor(init: CommandClientInit) {
    this.#init = init;
  }

  /** Resolves when the command is committed and applied by the leader. */
  run(
    envelope: Uint8Array,
    timeoutMs: number,
    { isRepeatable }: { readonly isRepeatable: boolean },
  ): Promise<Applied> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(new QuorateError('STOPPED', messages.STOPPED));
        return;
      }
      if (this.#open.size >= openMax) {
        reject(new QuorateError('OVERLOADED', 'Cannot take the command: too many are under way'));
        return;
      }
      const deadlineMs = this.#init.clock.monotonicMs() + timeoutMs;
      const command: Command = {
        envelope,
        deadlineMs,
        isRepeatable,
        state: 'parked',
        mayBeAppended: false,
        resolve,
        reject,
      };
      this.#open.add(command);
      this.#planSweep();
      this.#send(command);
    });
  }

  /** Role or leader changed: what waits may go; requests of sessions need not wait for an answer. */
  onLeaderChange(): void {
    for (const command of this.#open) {
      if (command.state === 'sent' && !command.isRepeatable) continue;
      if (command.state === 'sent') command.mayBeAppended = true;
      this.#send(command);
    }
  }

  /** The node stops. */
  abandon(): void {
    this.#stopped = true;
    this.#cancelSweep?.();
    for (const command of [...this.#open]) this.#expire(command, 'STOPPED');
  }

  #send(command: Command): void {
    if (this.#init.isLeader()) {
      command.state = 'sent';
      this.#init.proposeHere(command.envelope, (outcome) => this.#settleHere(command, outcome));
    } else if (this.#init.leader() !== null) {
      command.state = 'sent';
      this.#toForward.push(command);
      this.#planForward();
    }
  }

  #planForward(): void {
    if (this.#forwardPlanned) return;
    this.#forwardPlanned = true;
    this.#init.clock.afterPendingInput(() => {
      this.#forwardPlanned = false;
      const wanted = new Set(this.#toForward.splice(0));
      const commands = [...wanted].filter((one) => one.state === 'sent');
      for (const group of groupsOf(commands)) void this.#forward(group);
    });
  }

  async #forward(commands: readonly Command[]): Promise<void> {
    const leader = this.#init.leader();
    if (leader === null || this.#init.isLeader()) {
      for (const command of commands) this.#park(command);
      return;
    }
    const nowMs = this.#init.clock.monotonicMs();
    const timeoutMs = Math.max(1, ...commands.map((command) => command.deadlineMs - nowMs));
    const envelopes = commands.map((command) => command.envelope);
    try {
      const outcomes = await this.#init.forward(leader, envelopes, timeoutMs);
      for (const [i, command] of commands.entries()) this.#settleForwarded(command, outcomes[i]);
    } catch (error) {
      for (const command of commands) this.#forwardFailed(command, error);
    }
  }

  #forwardFailed(command: Command, error: unknown): void {
    if (surelyNotAppended.has(codeOf(error))) this.#park(command);
    else this.#unknown(command);
  }

  #settleHere(command: Command, outcome: ProposalOutcome): void {
    if (outcome.kind === 'applied') this.#finish(command, outcome.result);
    else if (outcome.kind === 'unknown') this.#unknown(command);
    else if (outcome.kind === 'lost') this.#park(command);
    else this.#refused(command, outcome);
  }

  #settleForwarded(command: Command, outcome: WireOutcome | undefined): void {
    if (outcome?.kind === 'applied') {
      this.#finish(command, {
        ...outcome,
        ok: true,
        revision: outcome.revision as Applied['revision'],
      });
    } else if (outcome?.kind === 'rejected') {
      this.#fail(command, outcome.code as ErrorCode, outcome.message);
    } else if (outcome?.kind === 'refused') this.#refused(command, outcome);
    else this.#unknown(command);
  }

  #refused(command: Command, { reason, message }: Refusal): void {
    if (reason === 'overloaded' && !command.mayBeAppended) {
      this.#fail(command, 'OVERLOADED', message);
    } else this.#park(command);
  }

  /** Nobody can tell whether it was appended: a request of a session may be tried again all the same. */
  #unknown(command: Command): void {
    if (!command.isRepeatable || this.#stopped) this.#expire(command, 'UNKNOWN_OUTCOME');
    else if (command.state === 'sent') {
      command.mayBeAppended = true;
      command.state = 'parked';
    }
  }

  /** Surely not appended: tried again at the next sweep or leader change. */
  #park(command: Command): void {
    if (command.state === 'sent') command.state = 'parked';
  }

  #finish(command: Command, result: CommandResult): void {
    if (!result.ok) {
      this.#fail(command, result.code, result.message);
    } else if (this.#settled(command)) command.resolve(result);
  }

  #fail(command: Command, code: ErrorCode, message: string): void {
    if (this.#settled(command)) command.reject(new QuorateError(code, message));
  }

  #expire(command: Command, code: keyof typeof messages): void {
    const isOpen = command.state === 'sent' || command.mayBeAppended;
    const final = isOpen ? 'UNKNOWN_OUTCOME' : code;
    this.#fail(command, final, messages[final]);
  }

  #settled(command: Command): boolean {
    if (command.state === 'settled') return false;
    command.state = 'settled';
    this.#open.delete(command);
    return true;
  }

  #planSweep(): void {
    this.#cancelSweep ??= this.#init.clock.after(sweepMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const nowMs = this.#init.clock.monotonicMs();
    for (const command of this.#open) {
      if (nowMs >= command.deadlineMs) this.#expire(command, 'NO_LEADER');
      else if (command.state === 'parked') this.#send(command);
    }
    if (this.#open.size > 0) this.#planSweep();
  }
}

const messages = {
  UNKNOWN_OUTCOME: 'Cannot tell whether the command was carried out: no answer in time',
  NO_LEADER: 'Cannot carry out the command: no leader in time',
  STOPPED: 'Cannot carry out the command: the node stops',
} as const;

/** In order; a group is one call. */
function groupsOf(commands: readonly Command[]): readonly (readonly Command[])[] {
  const groups: Command[][] = [];
  let bytes = Infinity;
  for (const command of commands) {
    bytes += command.envelope.length;
    const group = groups.at(-1);
    if (group === undefined || bytes > forwardBytesMax || group.length >= forwardCountMax) {
      groups.push([command]);
      bytes = command.envelope.length;
    } else group.push(command);
  }
  return groups;
}
