import { GossipCore, gossipSettingsFor } from '../../src/gossip/index.ts';
import type { GossipEffect, GossipSettings, MemberView } from '../../src/gossip/index.ts';
import {
  asClusterId,
  asIncarnation,
  asNodeId,
  crc32c,
  seededRandom,
  utf8,
} from '../../src/shared/index.ts';
import type { Random } from '../../src/shared/index.ts';
import { Agenda } from './agenda.ts';
import { Board } from './gossip-board.ts';

type EffectOf<K extends GossipEffect['kind']> = Extract<GossipEffect, { kind: K }>;

export const testClusterId = asClusterId('00112233445566778899aabbccddeeff');

export interface NetworkOptions {
  /** Part of datagrams that are lost, 0..1. */
  readonly loss: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

export interface ClusterOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly network?: Partial<NetworkOptions>;
  readonly settings?: Partial<GossipSettings>;
  /** Every node is told the first one's address; false: nobody is told anything. */
  readonly joins?: boolean;
  /** Sees each effect that is no send and no exchange, after the board took it. */
  readonly onEffect?: (node: SimNode, effect: GossipEffect) => void;
}

export interface SimNode {
  readonly name: string;
  readonly address: string;
  readonly core: GossipCore;
  readonly board: Board;
  readonly effects: GossipEffect[];
  isUp: boolean;
  /** Until then it neither reads nor ticks: what arrives waits in its socket. */
  stalledUntilMs: number;
  readonly inbox: (() => void)[];
  /** Reads what piled up during a stall: news of then, not its own judgement. */
  isCatchingUp: boolean;
  wakeAtMs: number;
}

/** A whole cluster of cores under virtual time: the same seed gives the same trace. */
export class GossipCluster {
  readonly random: Random;
  readonly nodes = new Map<string, SimNode>();
  readonly settings: GossipSettings;
  network: NetworkOptions;
  nowMs = 0;
  datagrams = 0;
  datagramBytes = 0;
  datagramBytesMax = 0;
  exchangeCount = 0;
  /** Checksum over all that was sent and delivered, with its time. */
  trace = 0;
  readonly #agenda = new Agenda();
  readonly #onEffect: (node: SimNode, effect: GossipEffect) => void;
  /** Nodes reach each other within a side only; all are on side 0 at first. */
  readonly #sides = new Map<string, number>();
  readonly #deaf = new Set<string>();

  constructor(options: ClusterOptions) {
    this.random = seededRandom(options.seed);
    this.#onEffect = options.onEffect ?? (() => undefined);
    this.settings = { ...gossipSettingsFor('lan'), ...options.settings };
    this.network = { loss: 0, delayMsMin: 0.2, delayMsMax: 2, ...options.network };
    for (let i = 1; i <= options.nodes; i++) this.start(`n${i}`);
    if (options.joins !== false)
      for (const node of this.nodes.values())
        if (node.name !== 'n1') node.core.join([this.node('n1').address], this.nowMs);
    for (const node of this.nodes.values()) this.#pump(node);
  }

  node(name: string): SimNode {
    const node = this.nodes.get(name);
    if (!node) throw new Error(`no node ${name}`);
    return node;
  }

  up(): SimNode[] {
    return [...this.nodes.values()].filter((node) => node.isUp);
  }

  /** Starts a node, or starts it again with an empty memory; `address` may be a new one. */
  start(name: string, start: { address?: string; epoch?: number; join?: string[] } = {}): SimNode {
    const address = start.address ?? `${name}:8000`;
    const before = this.nodes.get(name);
    if (before) before.isUp = false;
    const core = new GossipCore({
      clusterId: testClusterId,
      self: {
        nodeId: asNodeId(name),
        incarnation: asIncarnation('aaaaaaaaaaaaaaaa'),
        epoch: start.epoch ?? 1_700_000_000_000 + Math.floor(this.nowMs),
        address,
        zone: 'z',
        httpAddress: `${name}:6000`,
        raftAddress: `${name}:7000`,
      },
      settings: this.settings,
      random: seededRandom(this.random.intBelow(2 ** 31)),
    });
    const node: SimNode = {
      name,
      address,
      core,
      board: new Board(),
      effects: [],
      isUp: true,
      stalledUntilMs: 0,
      inbox: [],
      isCatchingUp: false,
      wakeAtMs: Infinity,
    };
    this.nodes.set(name, node);
    core.join(start.join ?? [], this.nowMs);
    this.#pump(node);
    return node;
  }

  /** Keeps a running process under another handle, to start a second one of its name. */
  rename(name: string, handle: string): void {
    this.nodes.set(handle, this.node(name));
    this.nodes.delete(name);
  }

  kill(name: string): void {
    this.node(name).isUp = false;
  }

  /** As SIGSTOP and SIGCONT: then all that waits is read before timers are judged. */
  stall(name: string, durationMs: number): void {
    const node = this.node(name);
    node.stalledUntilMs = this.nowMs + durationMs;
    this.at(durationMs, () => {
      if (!node.isUp) return;
      node.core.noteLag(durationMs, this.nowMs);
      node.isCatchingUp = true;
      for (const read of node.inbox.splice(0)) read();
      this.#pump(node);
      node.isCatchingUp = false;
    });
  }

  /** Splits the cluster; nodes that are not named form one side of their own. */
  partition(...sides: readonly string[][]): void {
    this.#sides.clear();
    sides.forEach((side, index) => {
      for (const name of side) this.#sides.set(name, index + 1);
    });
  }

  heal(): void {
    this.#sides.clear();
    this.#deaf.clear();
  }

  /** It still sends, but hears nothing. */
  deafen(name: string): void {
    this.#deaf.add(name);
  }

  /** Calls a core and carries out what it wants. */
  act<T>(name: string, run: (core: GossipCore, nowMs: number) => T): T {
    const node = this.node(name);
    const result = run(node.core, this.nowMs);
    this.#pump(node);
    return result;
  }

  at(delayMs: number, run: () => void): void {
    this.#agenda.add(this.nowMs + delayMs, run);
  }

  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let next = this.#agenda.take(endMs); next; next = this.#agenda.take(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = endMs;
  }

  /** Runs until it holds; returns the milliseconds it took, or throws after `limitMs`. */
  runUntil(what: string, limitMs: number, holds: () => boolean): number {
    const startMs = this.nowMs;
    while (!holds()) {
      if (this.nowMs - startMs >= limitMs)
        throw new Error(`not within ${limitMs} ms: ${what}; ${this.#picture()}`);
      this.run(50);
    }
    return this.nowMs - startMs;
  }

  statusOf(observer: string, subject: string): MemberView['status'] | 'unknown' {
    const view = this.node(observer)
      .core.members()
      .find(({ nodeId }) => nodeId === subject);
    return view?.status ?? 'unknown';
  }

  /** Everybody up sees everybody up alive. */
  isComplete(): boolean {
    const names = this.up().map((node) => node.name);
    return names.every((observer) =>
      names.every((subject) => this.statusOf(observer, subject) === 'alive'),
    );
  }

  /** Names of running nodes that a running node declared dead at some time. */
  falseDeaths(sinceMs = 0): string[] {
    return this.deaths
      .filter(({ atMs, wasUp }) => wasUp && atMs >= sinceMs)
      .map(({ subject }) => subject);
  }

  readonly deaths: { observer: string; subject: string; atMs: number; wasUp: boolean }[] = [];

  #picture(): string {
    return this.up()
      .map((node) => {
        const others = node.core.members().map((one) => `${one.nodeId}=${one.status}`);
        return `${node.name}: ${others.join(' ')}`;
      })
      .join('; ');
  }

  #pump(node: SimNode): void {
    for (const effect of node.core.drain()) this.#carryOut(node, effect);
    const deadlineMs = node.core.nextDeadlineMs();
    if (deadlineMs === Infinity || deadlineMs >= node.wakeAtMs) return;
    node.wakeAtMs = Math.max(deadlineMs, this.nowMs);
    const wakeAtMs = node.wakeAtMs;
    this.at(wakeAtMs - this.nowMs, () => this.#wake(node, wakeAtMs));
  }

  #wake(node: SimNode, wakeAtMs: number): void {
    if (node.wakeAtMs !== wakeAtMs) return;
    node.wakeAtMs = Infinity;
    this.#live(node, () => node.core.tick(this.nowMs));
  }

  /** Runs what happens to a node, later when it is stalled, never when it is down. */
  #live(node: SimNode, run: () => void): void {
    if (!node.isUp) return;
    if (node.stalledUntilMs > this.nowMs) {
      node.inbox.push(run);
      return;
    }
    run();
    this.#pump(node);
  }

  #carryOut(node: SimNode, effect: GossipEffect): void {
    if (effect.kind === 'send') this.#send(node, effect);
    else if (effect.kind === 'exchange') this.#exchange(node, effect);
    else {
      this.#note(node.name, effect.kind, utf8(JSON.stringify(effect)));
      node.effects.push(effect);
      node.board.apply(effect);
      this.#onEffect(node, effect);
      if (effect.kind === 'member') this.#noteDeath(node, effect.member);
    }
  }

  #noteDeath(node: SimNode, member: MemberView): void {
    if (member.status !== 'dead' || node.isCatchingUp) return;
    const subject = this.nodes.get(member.nodeId);
    const isOfThisLife = subject?.core
      .members()
      .some((one) => one.nodeId === member.nodeId && one.epoch === member.epoch);
    const wasUp = Boolean(subject?.isUp && isOfThisLife && subject.stalledUntilMs <= this.nowMs);
    this.deaths.push({ observer: node.name, subject: member.nodeId, atMs: this.nowMs, wasUp });
  }

  #send(node: SimNode, { bytes, to }: EffectOf<'send'>): void {
    this.#note(node.name, to, bytes);
    this.datagrams++;
    this.datagramBytes += bytes.length;
    this.datagramBytesMax = Math.max(this.datagramBytesMax, bytes.length);
    if (this.#chance(this.network.loss)) return;
    this.at(this.#delayMs(), () => {
      const target = this.#reach(node, to);
      if (target) this.#live(target, () => target.core.receive(node.address, bytes, this.nowMs));
    });
  }

  #exchange(node: SimNode, { bytes, id, timeoutMs, to }: EffectOf<'exchange'>): void {
    this.#note(node.name, to, bytes);
    this.exchangeCount++;
    let hasEnded = false;
    const end = (response: Uint8Array | null): void => {
      if (hasEnded) return;
      hasEnded = true;
      this.#live(node, () => node.core.exchangeEnded(id, response, this.nowMs));
    };
    this.at(timeoutMs, () => end(null));
    this.at(this.#delayMs(), () => {
      const target = this.#reach(node, to);
      // A machine that is there but has no such process refuses at once; silence otherwise.
      if (!target && this.#isRefused(node, to)) end(null);
      if (!target) return;
      this.#live(target, () => {
        const response = target.core.serveExchange(`${node.name}:49152`, bytes, this.nowMs);
        this.at(this.#delayMs(), () => {
          if (this.#reach(target, node.address)) end(response);
        });
      });
    });
  }

  #reach(from: SimNode, to: string): SimNode | undefined {
    const target = this.up().find((node) => node.address === to);
    if (!target || this.#deaf.has(target.name)) return undefined;
    return this.#sideOf(from.name) === this.#sideOf(target.name) ? target : undefined;
  }

  #isRefused(from: SimNode, to: string): boolean {
    const name = to.slice(0, to.indexOf(':'));
    return !this.#deaf.has(name) && this.#sideOf(from.name) === this.#sideOf(name);
  }

  #sideOf(name: string): number {
    return this.#sides.get(name) ?? 0;
  }

  #chance(part: number): boolean {
    return part > 0 && this.random.intBelow(1_000_000) < part * 1_000_000;
  }

  #delayMs(): number {
    const { delayMsMax, delayMsMin } = this.network;
    return delayMsMin + ((delayMsMax - delayMsMin) * this.random.intBelow(1_000)) / 1_000;
  }

  #note(who: string, what: string, bytes: Uint8Array): void {
    this.trace = crc32c(utf8(`${this.nowMs} ${who} ${what}`), this.trace);
    this.trace = crc32c(bytes, this.trace);
  }
}
