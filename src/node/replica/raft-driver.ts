import type {
  IndexedConfiguration,
  LogBase,
  LogStore,
  RaftCore,
  RaftInput,
  RaftMessage,
  RaftOutput,
  RaftRole,
  RaftTransport,
  RaftView,
  Reply,
  Tag,
} from '../../raft/index.ts';
import type { Cancel, Clock, Logger, LogIndex, PeerId, Term } from '../../shared/index.ts';
import { assert } from '../../shared/index.ts';
import { AppendFiller } from './append-filler.ts';
import type { EntryCache } from './entry-cache.ts';
import { Persister } from './persister.ts';

const diskStallMsUsual = 2_000;

export interface RaftEvents {
  /** Entries up to here are committed and on this node's disk: apply them. */
  onReadyToApply(index: LogIndex): void;
  onRoleChange(change: { role: RaftRole; leader: PeerId | null; term: Term }): void;
  onConfiguration(configuration: IndexedConfiguration): void;
  onSendSnapshot(to: PeerId): void;
  onInstallSnapshot(base: LogBase): void;
  onDropSnapshot(): void;
  /** The disk is free: a good moment to propose what gathered. */
  onDiskIdle(): void;
  onFatal(error: unknown): void;
}

export interface RaftDriverInit {
  readonly core: RaftCore;
  readonly log: LogStore;
  readonly cache: EntryCache;
  readonly transport: RaftTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tickMs: number;
  /** A leader whose oldest disk write is older than this steps down; 2 s. */
  readonly diskStallMs?: number | undefined;
  readonly onWritten: (ms: number, bytes: number) => void;
  readonly events: RaftEvents;
}

/**
 * Runs the Raft core: turns its outputs into writes, messages and callbacks, and their completions
 * into inputs. Inputs are handled strictly one after the other.
 */
export class RaftDriver {
  readonly #init: RaftDriverInit;
  readonly #persister: Persister;
  readonly #filler: AppendFiller;
  readonly #replies = new Map<Tag, (reply: Reply) => void>();
  #inputs: RaftInput[] = [];
  #isStepping = false;
  #nextTag = 1;
  #lastTickMs: number;
  #cancelTick: Cancel = () => undefined;
  #diskStalled = false;
  #stopped = false;
  /** Committed, but put off until the write in flight is acknowledged, at most until the next tick. */
  #toApply: LogIndex | null = null;

  constructor(init: RaftDriverInit) {
    this.#init = init;
    this.#lastTickMs = init.clock.monotonicMs();
    this.#filler = new AppendFiller({
      cache: init.cache,
      log: init.log,
      isCurrent: ({ term }) => this.view.role === 'leader' && this.view.term === term,
      send: (message) => init.transport.send(message),
      onFatal: (error) => this.#fatal(error),
    });
    this.#persister = new Persister({
      log: init.log,
      clock: init.clock,
      onPersisted: (sequence) => this.submit({ kind: 'persisted', sequence }),
      onReleased: () => {
        if (this.#toApply !== null) init.clock.afterPendingInput(() => this.#apply());
      },
      onIdle: () => init.events.onDiskIdle(),
      onWritten: init.onWritten,
      send: (messages) => this.#sendAll(messages),
      onFatal: (error) => this.#fatal(error),
    });
  }

  get view(): RaftView {
    return this.#init.core.view;
  }

  get isWriting(): boolean {
    return this.#persister.isWriting;
  }

  /** A write takes too long: this node does not lead, nor stand for it. */
  get isDiskStalled(): boolean {
    return this.#diskStalled;
  }

  start(): void {
    this.#init.events.onConfiguration(this.view.configuration);
    this.#scheduleTick();
  }

  /** No input has an effect any more; a write in flight is awaited. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTick();
    for (const tag of [...this.#replies.keys()]) this.#replyStopped(tag);
    await this.#persister.pause();
  }

  /** A tag whose one reply goes to `onReply`. */
  tag(onReply: (reply: Reply) => void): Tag {
    const tag = this.#nextTag++;
    this.#replies.set(tag, onReply);
    return tag;
  }

  /** After `stop` nothing has an effect, and requests are refused. */
  submit(input: RaftInput): void {
    if (this.#stopped) {
      for (const tag of tagsOf(input)) this.#replyStopped(tag);
      return;
    }
    this.#inputs.push(input);
    if (!this.#isStepping) this.#drain();
  }

  receive(messages: readonly RaftMessage[]): void {
    for (const message of messages) this.submit({ kind: 'message', message });
  }

  /** Runs `install` while the log is not written to. */
  async exclusively(install: () => Promise<void>): Promise<void> {
    await this.#persister.pause();
    await install();
    this.#persister.resume();
  }

  #drain(): void {
    this.#isStepping = true;
    try {
      for (let i = 0; i < this.#inputs.length; i++) {
        const input = this.#inputs[i];
        if (input !== undefined) this.#handle(this.#init.core.step(input));
      }
    } catch (error) {
      this.#fatal(error);
    } finally {
      this.#inputs = [];
      this.#isStepping = false;
    }
  }

  #handle(output: RaftOutput): void {
    const { events, cache } = this.#init;
    if (output.persist !== null) {
      cache.put(output.persist.entries);
      this.#persister.persist(output.persist);
    }
    this.#sendAll(output.messagesNow);
    this.#persister.sendAfter(output.afterSequence, output.messagesAfterPersist);
    // Before anything applies: who proposed an entry waits for it from here on.
    for (const reply of output.replies) this.#reply(reply);
    if (output.commitIndex !== null) this.#readyToApply(output.commitIndex);
    if (output.configuration !== null) events.onConfiguration(output.configuration);
    if (output.change !== null) events.onRoleChange(output.change);
    for (const to of output.sendSnapshots) events.onSendSnapshot(to);
    if (output.dropSnapshot) events.onDropSnapshot();
    if (output.installSnapshot !== null) events.onInstallSnapshot(output.installSnapshot);
  }

  /**
   * Clients wait for what a leader applies; for what a follower applies nobody does, but the leader
   * waits for its acknowledgement of the write in flight: that leaves first.
   */
  #readyToApply(index: LogIndex): void {
    this.#toApply = index;
    if (this.view.role === 'leader' || !this.#persister.isWriting) this.#apply();
  }

  #apply(): void {
    if (this.#stopped || this.#toApply === null) return;
    const index = this.#toApply;
    this.#toApply = null;
    this.#init.events.onReadyToApply(index);
  }

  #replyStopped(tag: Tag): void {
    const message = 'Cannot do this: the node stops';
    this.#reply({ kind: 'refused', tag, reason: 'notLeader', leader: null, message });
  }

  #reply(reply: Reply): void {
    const resolve = this.#replies.get(reply.tag);
    assert(resolve !== undefined, `Tag ${reply.tag} gets one reply`);
    this.#replies.delete(reply.tag);
    resolve(reply);
  }

  #sendAll(messages: readonly RaftMessage[]): void {
    for (const message of messages) this.#filler.send(message);
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#init.clock.after(this.#init.tickMs, () => this.#tickDue());
  }

  /** After a stall the messages that wait in the sockets are read before time is judged. */
  #tickDue(): void {
    const lateMs = this.#init.clock.monotonicMs() - this.#lastTickMs - this.#init.tickMs;
    if (lateMs > this.#init.tickMs) this.#init.clock.afterPendingInput(() => this.#tick());
    else this.#tick();
  }

  #tick(): void {
    if (this.#stopped) return;
    const nowMs = this.#init.clock.monotonicMs();
    const elapsedMs = nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
    this.#watchDisk();
    this.#apply();
    this.submit({ kind: 'tick', elapsedMs, nowMs });
    this.#scheduleTick();
  }

  #watchDisk(): void {
    const { diskStallMs = diskStallMsUsual } = this.#init;
    const stalled = this.#persister.oldestWriteAgeMs > diskStallMs;
    if (stalled === this.#diskStalled) return;
    this.#diskStalled = stalled;
    const { logger } = this.#init;
    if (stalled)
      logger.error(
        { ageMs: this.#persister.oldestWriteAgeMs },
        'The disk hangs: a write is not done yet, so this node does not lead',
      );
    else logger.warn({}, 'The disk answers again');
    this.submit({ kind: stalled ? 'diskStalled' : 'diskOk' });
  }

  #fatal(error: unknown): void {
    this.#stopped = true;
    this.#cancelTick();
    this.#init.events.onFatal(error);
  }
}

function tagsOf(input: RaftInput): readonly Tag[] {
  if (input.kind === 'propose') return input.proposals.map((proposal) => proposal.tag);
  return 'tag' in input ? [input.tag] : [];
}
