import type { NodeId } from '../shared/index.ts';
import type { GossipFrame, HealthDigest } from '../wire/index.ts';
import { memberCountOf } from './context.ts';
import type { Context } from './context.ts';
import type { Exchange, Exchanges, Purpose } from './exchanges.ts';
import { pushPullIntervalMs } from './formulas.ts';
import type { HealthBook } from './health-book.ts';
import { isEnded } from './members.ts';
import { Seeds } from './seeds.ts';
import type { SyncFrames } from './sync-frames.ts';

/** Decides when to push/pull and with whom: in turn, to join, to heal, to close gaps. */
export class Syncer {
  readonly #context: Context;
  readonly #exchanges: Exchanges;
  readonly #book: HealthBook;
  readonly #frames: SyncFrames;
  readonly #seeds: Seeds;
  #pushPullAtMs = 0;
  #reconnectAtMs = 0;
  #metStrangerAtMs = -Infinity;

  constructor(
    context: Context,
    parts: { exchanges: Exchanges; book: HealthBook; frames: SyncFrames },
  ) {
    this.#context = context;
    this.#exchanges = parts.exchanges;
    this.#book = parts.book;
    this.#frames = parts.frames;
    this.#seeds = new Seeds(context.settings, context.random);
  }

  join(addresses: readonly string[], nowMs: number): void {
    for (const address of addresses)
      if (address === this.#context.self.record.address)
        this.#context.emit({ kind: 'joined', seed: address });
      else this.#seeds.add(address, nowMs);
  }

  /** After time out of the cluster: everything is due. */
  restart(nowMs: number): void {
    this.#seeds.restart(nowMs);
    this.#pushPullAtMs = nowMs;
    this.#reconnectAtMs = nowMs;
  }

  tick(nowMs: number): void {
    for (const exchange of this.#exchanges.takeForgotten(nowMs)) this.onFailed(exchange, nowMs);
    this.#trySeeds(nowMs);
    this.#repair(nowMs);
    this.#pushPull(nowMs);
    this.#reconnect(nowMs);
  }

  nextDeadlineMs(): number {
    const repairAtMs = this.#exchanges.isRunning('repair')
      ? Infinity
      : this.#book.repairs.nextDeadlineMs();
    return Math.min(
      this.#pushPullAtMs,
      this.#reconnectAtMs,
      repairAtMs,
      this.#seeds.nextDeadlineMs(),
    );
  }

  /** A sender that is not known as it says it is: ask it, at most once a probe interval. */
  meet(from: string, nowMs: number): void {
    if (nowMs - this.#metStrangerAtMs < this.#context.settings.probeIntervalMs) return;
    this.#metStrangerAtMs = nowMs;
    this.#start(from, { kind: 'pushPull' }, nowMs);
  }

  /** Before an answer is taken in: how far the pulled owners were. */
  digestsOf(purpose: Purpose): Map<NodeId, HealthDigest | undefined> {
    const owners = purpose.kind === 'repair' ? purpose.owners : [];
    return new Map(owners.map((owner) => [owner, this.#book.digestOf(owner)]));
  }

  onAnswered(
    exchange: Exchange,
    { sender }: GossipFrame,
    before: Map<NodeId, HealthDigest | undefined>,
    nowMs: number,
  ): void {
    const { purpose } = exchange;
    if (purpose.kind === 'seed' && this.#seeds.answered(purpose.address, sender.nodeId, nowMs))
      this.#context.emit({ kind: 'joined', seed: purpose.address });
    for (const [owner, digest] of before) this.#book.settleRepair(owner, digest, nowMs);
  }

  onFailed({ purpose }: Exchange, nowMs: number): void {
    if (purpose.kind === 'seed') this.#seeds.failed(purpose.address, nowMs);
    if (purpose.kind !== 'repair') return;
    for (const owner of purpose.owners) this.#book.settleRepair(owner, undefined, nowMs);
  }

  #trySeeds(nowMs: number): void {
    for (const seed of this.#seeds.due(nowMs))
      if (!seed.isAwaited && this.#isAlive(seed.nodeId)) this.#seeds.skip(seed, nowMs);
      else if (this.#start(seed.address, { kind: 'seed', address: seed.address }, nowMs))
        seed.isTrying = true;
      else this.#seeds.failed(seed.address, nowMs);
  }

  /** The owner itself knows best; who spoke of it may be asked when it cannot. */
  #repair(nowMs: number): void {
    if (this.#exchanges.isRunning('repair')) return;
    const due = this.#book.repairs.due(nowMs);
    const first = due?.owners[0];
    if (!due || first === undefined) return;
    const owner = this.#context.table.get(first);
    const isOwnerAlive = owner?.record.status === 'alive';
    const prefersOwner = this.#context.random.intBelow(4) > 0;
    const to = owner && isOwnerAlive && prefersOwner ? owner.record.address : due.via;
    const hasStarted = this.#start(to, { kind: 'repair', owners: due.owners }, nowMs);
    if (!hasStarted) for (const name of due.owners) this.#book.repairs.goOn(name, nowMs);
  }

  #pushPull(nowMs: number): void {
    if (nowMs < this.#pushPullAtMs) return;
    const { random, settings, table } = this.#context;
    const intervalMs = pushPullIntervalMs(
      settings.pushPullIntervalMs,
      memberCountOf(this.#context),
    );
    this.#pushPullAtMs = nowMs + intervalMs / 2 + random.intBelow(intervalMs);
    const [partner] = table.pickActive(1, random);
    if (partner) this.#start(partner.record.address, { kind: 'pushPull' }, nowMs);
  }

  /** Partitions heal because each side keeps trying the dead of its view. */
  #reconnect(nowMs: number): void {
    if (nowMs < this.#reconnectAtMs) return;
    const { random, settings, table } = this.#context;
    const intervalMs = settings.reconnectIntervalMs;
    this.#reconnectAtMs = nowMs + intervalMs / 2 + random.intBelow(intervalMs);
    const [lost] = table.pick(1, random, ({ record }) => record.status === 'dead');
    if (lost) this.#start(lost.record.address, { kind: 'pushPull' }, nowMs);
  }

  #start(to: string, purpose: Purpose, nowMs: number): boolean {
    const bytes = this.#frames.request(nowMs);
    const timeoutMs = this.#context.settings.exchangeTimeoutMs;
    return this.#exchanges.start({ to, bytes, timeoutMs, purpose }, nowMs);
  }

  #isAlive(nodeId: NodeId | null): boolean {
    if (nodeId === null) return false;
    if (nodeId === this.#context.self.record.nodeId) return true;
    const member = this.#context.table.get(nodeId);
    return member !== undefined && !isEnded(member.record);
  }
}
