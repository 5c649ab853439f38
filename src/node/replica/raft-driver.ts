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
} from '../../raft/index.ts';
import type { Cancel, Clock, Logger, LogIndex, PeerId, Term } from '../../shared/index.ts';
import { assert } from '../../shared/index.ts';
import { AppendFiller } from './append-filler.ts';
import type { EntryCache } from './entry-cache.ts';
import { Persister } from './persister.ts';

/** A leader whose oldest disk write is older than this steps down. */
const diskStallMs = 2_000;

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
  readonly #replies = new Map<number, (reply: Reply) => void>();
  #inputs: RaftInput[] = [];
  #isStepping = false;
  #nextTag = 1;
  #commitIndex: LogIndex;
  #lastTickMs: number;
  #cancelTick: Cancel = () => undefined;
  #diskStalled = false;
  #stopped = false;

  constructor(init: RaftDriverInit) {
    this.#init = init;
    this.#commitIndex = init.core.view.commitIndex;
    this.#lastTickMs = init.clock.monotonicMs();
    this.#filler = new AppendFiller({
      cache: init.cache,
      log: init.log,
      logger: init.logger,
      send: (message) => init.transport.send(message),
    });
    this.#persister = new Persister(
      {
        log: init.log,
        clock: init.clock,
        onPersisted: (sequence) => this.#onPersisted(sequence),
        onIdle: () => init.events.onDiskIdle(),
        send: (messages) => this.#sendAll(messages),
        onFatal: (error) => this.#fatal(error),
      },
      init.log.recovered.lastIndex,
    );
  }

  get view(): RaftView {
    return this.#init.core.view;
  }

  get isWriting(): boolean {
    return this.#persister.isWriting;
  }

  start(): void {
    this.#init.events.onConfiguration(this.view.configuration);
    this.#scheduleTick();
  }

  /** No input has an effect any more; a write in flight is awaited. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTick();
    const replies = [...this.#replies];
    this.#replies.clear();
    for (const [tag, resolve] of replies) {
      resolve({ kind: 'refused', tag, reason: 'abandoned', leader: null, message: 'stopped' });
    }
    await this.#persister.pause();
  }

  /** A tag whose one reply goes to `onReply`. */
  tag(onReply: (reply: Reply) => void): number {
    const tag = this.#nextTag++;
    this.#replies.set(tag, onReply);
    return tag;
  }

  submit(input: RaftInput): void {
    if (this.#stopped) return;
    this.#inputs.push(input);
    if (!this.#isStepping) this.#drain();
  }

  receive(messages: readonly RaftMessage[]): void {
    for (const message of messages) this.submit({ kind: 'message', message });
  }

  /** Stops writing, runs `install`, and goes on at its base. */
  async exclusively(install: () => Promise<LogBase>): Promise<void> {
    await this.#persister.pause();
    const base = await install();
    this.#persister.resume(base.index);
    this.#commitIndex = base.index;
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
    if (output.commitIndex !== null) {
      this.#commitIndex = output.commitIndex;
      this.#announceReady();
    }
    if (output.configuration !== null) events.onConfiguration(output.configuration);
    if (output.change !== null) events.onRoleChange(output.change);
    for (const reply of output.replies) this.#reply(reply);
    for (const to of output.sendSnapshots) events.onSendSnapshot(to);
    if (output.dropSnapshot) events.onDropSnapshot();
    if (output.installSnapshot !== null) events.onInstallSnapshot(output.installSnapshot);
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

  #onPersisted(sequence: number): void {
    this.submit({ kind: 'persisted', sequence });
    this.#announceReady();
  }

  #announceReady(): void {
    const limit = Math.min(this.#commitIndex, this.#persister.persistedIndex);
    this.#init.events.onReadyToApply(limit as LogIndex);
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
    this.submit({ kind: 'tick', elapsedMs });
    this.#scheduleTick();
  }

  #watchDisk(): void {
    const stalled = this.#persister.oldestWriteAgeMs > diskStallMs;
    if (stalled === this.#diskStalled) return;
    this.#diskStalled = stalled;
    const { logger } = this.#init;
    if (stalled) logger.error({ ageMs: this.#persister.oldestWriteAgeMs }, 'The disk hangs');
    else logger.warn({}, 'The disk answers again');
    this.submit({ kind: stalled ? 'diskStalled' : 'diskOk' });
  }

  #fatal(error: unknown): void {
    this.#stopped = true;
    this.#cancelTick();
    this.#init.events.onFatal(error);
  }
}
