import { codeOf, equalBytes, utf8 } from '../../../src/shared/index.ts';
import { Client } from './client.ts';
import type { Counts } from './counts.ts';
import { acknowledgedOf, addFault } from './counts.ts';
import { Nemesis } from './nemesis.ts';
import type { Fault, Profile, ProfileName } from './profile.ts';
import { drawProfile } from './profile.ts';
import { envelopeOf } from './requests.ts';
import { SimCluster } from './sim-cluster.ts';
import type { SimNode } from './sim-node.ts';
import { World } from './world.ts';

/** How long a cluster is disturbed at least and at most, in virtual time. */
const stormMs = 58_000;
const stormMsMax = 120_000;
/** With fewer requests that got their answer a simulation shows little. */
const acknowledgedMin = 200;
const virtualMsMin = 60_000;
/** Within this, a cluster with nothing wrong must have a leader: about 20 election timeouts. */
const electionMs = 10_000;
/** Within this, it must be as one again. */
const recoveryMs = 40_000;
/** And then stay so. */
const calmMs = 2_000;
/** Each stream between two nodes that run stands after this. */
const redialMsMax = 2_000;
const writeTimeoutMs = 5_000;
const pauseMs = 100;
/** Of an event loop that has too much to do. */
const stallMs = 400;

/** What a simulation showed. */
export interface SimulationReport {
  readonly seed: number;
  readonly profile: Profile;
  readonly virtualMs: number;
  readonly events: number;
  /** The same for the same seed. */
  readonly traceHash: string;
  readonly counts: Counts;
  readonly faults: ReadonlyMap<Fault, number>;
  /** It was too short, or too little was answered in it, to count. */
  readonly isVoid: boolean;
  /** null: all went well. */
  readonly failure: Error | null;
  /** The newest lines of what happened. */
  readonly tail: (count: number) => readonly string[];
}

/** Runs one cluster from one seed. Never rejects: what went wrong is in the report. */
export async function simulate(
  seed: number,
  profile: ProfileName = 'general',
): Promise<SimulationReport> {
  const simulation = new Simulation(seed, profile);
  let failure: Error | null = null;
  try {
    await simulation.run();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  return simulation.report(failure);
}

class Simulation {
  readonly #seed: number;
  readonly #world: World;
  readonly #profile: Profile;
  readonly #cluster: SimCluster;
  readonly #clients: readonly Client[];

  constructor(seed: number, profile: ProfileName) {
    this.#seed = seed;
    this.#world = new World(seed);
    this.#profile = drawProfile(this.#world.random, profile);
    this.#cluster = new SimCluster(this.#world, this.#profile);
    this.#world.note(`seed ${seed} ${JSON.stringify(this.#profile)}`);
    this.#clients = Array.from({ length: this.#profile.clientCount }, (_, i) =>
      this.#makeClient(`c${i + 1}`, this.#profile.sessions && i % 2 === 0),
    );
  }

  async run(): Promise<void> {
    const nemesis = new Nemesis(this.#cluster, this.#clients);
    this.#cluster.start();
    for (const client of this.#clients) client.start();
    nemesis.start();
    await this.#weather();
    this.#world.note('the storm is over');
    this.#world.isStormy = false;
    nemesis.stop();
    for (const client of this.#clients) client.stop();
    await this.#recover();
    await this.#stayCalm();
    await this.#checkStates();
    this.#checkLinearizability();
  }

  report(failure: Error | null): SimulationReport {
    const { counts, faults, checker, network } = this.#cluster;
    counts.elections = checker.electionCount;
    counts.truncations = checker.truncationCount;
    counts.committed = checker.log.lastIndex;
    addFault(faults, 'lostFrame', network.memory.lostCount);
    addFault(faults, 'brokenConnection', network.memory.brokenCount);
    addFault(faults, 'slowDial', network.memory.slowDialCount);
    return {
      seed: this.#seed,
      profile: this.#profile,
      virtualMs: this.#world.nowMs,
      events: this.#world.eventCount,
      traceHash: this.#world.trace.digest(),
      counts,
      faults,
      isVoid: this.#world.nowMs < virtualMsMin || acknowledgedOf(counts) < acknowledgedMin,
      failure,
      tail: (count) => this.#world.trace.tail(count),
    };
  }

  /** Longer when little gets through. */
  async #weather(): Promise<void> {
    await this.#world.run(stormMs);
    const { counts } = this.#cluster;
    await this.#world.run(stormMsMax - stormMs, () => acknowledgedOf(counts) >= acknowledgedMin);
  }

  /** Liveness: a leader, writes on every node, one state everywhere. */
  async #recover(): Promise<void> {
    const deadlineMs = this.#world.nowMs + recoveryMs;
    const left = (): number => deadlineMs - this.#world.nowMs;
    await this.#mustBeLed();
    if (!(await this.#world.run(left(), () => this.#isWhole()))) {
      this.#giveUp('the members did not come together');
    }
    for (const place of this.#cluster.nodes.keys()) await this.#mustWrite(place, left);
    if (!(await this.#world.run(left(), () => this.#isOne()))) {
      this.#giveUp('the nodes did not come to one state');
    }
  }

  /** A last request of the storm may still remove a member: then another takes its place. */
  async #mustWrite(place: number, left: () => number): Promise<void> {
    const name = `last-${place}`;
    const client = this.#makeClient(name);
    for (let attempt = 1; left() > 0; attempt++) {
      const node = this.#cluster.nodes[place];
      if (node === undefined) return;
      const envelope = envelopeOf(`${name}-${attempt}`, {
        then: [{ kind: 'put', key: utf8(name), value: utf8(`${attempt}`) }],
      });
      if (await this.#await(client.write(node, envelope, writeTimeoutMs), left())) return;
      await this.#world.run(pauseMs);
    }
    this.#giveUp(`the node at ${place} did not get a write through`);
  }

  /** One that a majority follows: its no-op is committed. */
  #hasLeader(): boolean {
    const view = this.#cluster.leader?.replica?.view;
    return view?.leaderReady === true;
  }

  #isWhole(): boolean {
    return this.#cluster.isSettled && this.#cluster.nodes.every(({ running }) => running !== null);
  }

  #isOne(): boolean {
    const { lastIndex } = this.#cluster.checker.log;
    const isThere = this.#cluster.nodes.every(({ replica }) => {
      const view = replica?.view;
      return view?.lastIndex === lastIndex && replica?.state.machine.appliedIndex === lastIndex;
    });
    return isThere && this.#isWhole();
  }

  /** Where nothing is wrong, nobody stands for election: not for a stall of a follower either. */
  async #stayCalm(): Promise<void> {
    const { counts } = this.#cluster;
    // Who was just restarted may still pause before it dials the leader again.
    await this.#world.run(redialMsMax);
    const term = this.#leaderTerm;
    const before = counts.campaigns;
    if (isQuiet(this.#profile)) await this.#stallFollower();
    await this.#world.run(calmMs);
    this.#checkLeadership(term);
    const campaigns = counts.campaigns - before;
    if (isQuiet(this.#profile) && campaigns > 0) this.#giveUp('a campaign in quiet times');
    await this.#mustBeLed();
  }

  #checkLeadership(term: number | null): void {
    const after = this.#leaderTerm;
    const isSame = term !== null && after === term;
    if (isSame || !isSteady(this.#profile)) return;
    this.#giveUp(`leadership moved from term ${term ?? '-'} to ${after ?? '-'} in quiet times`);
  }

  async #mustBeLed(): Promise<void> {
    if (await this.#world.run(electionMs, () => this.#hasLeader())) return;
    this.#giveUp(`nobody led within ${electionMs} ms`);
  }

  get #leaderTerm(): number | null {
    return this.#cluster.leader?.replica?.view.term ?? null;
  }

  async #stallFollower(): Promise<void> {
    const follower = this.#cluster.anyNode(({ replica }) => replica?.view.role === 'follower');
    if (follower === undefined) return;
    this.#world.note(`${follower.name} is busy for ${stallMs} ms`);
    follower.life?.pause();
    await this.#world.run(stallMs);
    follower.life?.resume();
  }

  /** Durability: every node holds what all acknowledged writes together make. */
  async #checkStates(): Promise<void> {
    this.#cluster.history.checkRefused();
    for (const node of this.#cluster.nodes) {
      if (node.running === null) this.#giveUp(`${node.name} is down`);
      else {
        this.#cluster.checker.checkDigest(node.running);
        await this.#checkRows(node);
      }
    }
    await this.#world.run(0);
  }

  /** One order of all requests explains every answer that a client got. */
  #checkLinearizability(): void {
    const { ok, reason } = this.#cluster.keyHistory.check();
    if (!ok) this.#giveUp(`not linearizable: ${reason ?? ''}`);
  }

  async #checkRows(node: SimNode): Promise<void> {
    const state = node.replica?.state;
    if (state === undefined) return;
    const expected = this.#cluster.checker.log.store.keys;
    const records = [...state.machine.keys({})];
    if (records.length !== expected.size) this.#giveUp(`${node.name} has ${records.length} keys`);
    const rows = records.map(({ valueRow }) => valueRow);
    const values = await this.#valuesOf(node, rows);
    if (values === 'damaged') return;
    for (const [i, { key, modRevision }] of records.entries()) {
      const truth = expected.get(Buffer.from(key).toString());
      const value = values?.[i];
      const isTrue = truth && value && equalBytes(truth.value, value);
      if (isTrue !== true || truth.modRevision !== modRevision) {
        this.#giveUp(`${node.name} has another value for ${Buffer.from(key).toString()}`);
      }
    }
  }

  /** A bit that flipped in a value shows when that is read, which may be now for the first time. */
  async #valuesOf(
    node: SimNode,
    rows: readonly Uint8Array[],
  ): Promise<readonly (Uint8Array | null)[] | 'damaged' | null> {
    const read = node.replica?.state.engine.readMany(rows).catch((error: unknown) => {
      if (codeOf(error) === 'STORAGE_DAMAGED' && node.disk.isDamaged) return 'damaged' as const;
      throw error;
    });
    return read === undefined ? null : this.#await(read, recoveryMs);
  }

  /** Lets time pass until there is an answer; null when there is none in time. */
  async #await<T>(answer: Promise<T>, limitMs: number): Promise<T | null> {
    const box: { value: T | null; error: Error | null } = { value: null, error: null };
    answer.then(
      (value) => (box.value = value),
      (error: unknown) => (box.error = error as Error),
    );
    await this.#world.run(limitMs, () => box.value !== null || box.error !== null);
    if (box.error !== null) throw box.error;
    return box.value;
  }

  #makeClient(name: string, usesSession = false): Client {
    return new Client({
      name,
      world: this.#world,
      history: this.#cluster.history,
      keyHistory: this.#cluster.keyHistory,
      thinkMsMax: this.#profile.thinkMsMax,
      usesSession,
      nodes: () => this.#cluster.nodes.filter(({ replica }) => replica !== null),
    });
  }

  #giveUp(message: string): void {
    this.#world.violate(message);
    throw new Error(message);
  }
}

/** A leader keeps its quorum; where connections keep breaking, two at once may cost it. */
const isSteady = ({ network }: Profile): boolean => network.brokenPerMille === 0;

/** No heartbeat comes later than a follower must wait for it. */
const isQuiet = ({ network }: Profile): boolean =>
  network.lostPerMille === 0 && network.brokenPerMille === 0 && network.delayMsMax <= 40;
