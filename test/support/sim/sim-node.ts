import { peerAddresses } from '../../../src/node/cluster/peer-addresses.ts';
import type { Replica } from '../../../src/node/replica/index.ts';
import type { Configuration, Member, RaftMessage } from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { codeOf, peerIdOf } from '../../../src/shared/index.ts';
import type { PeerTransport } from '../../../src/transport/index.ts';
import type { Running } from './boot-node.ts';
import { bootNode } from './boot-node.ts';
import type { Watched } from './checker.ts';
import { addFault } from './counts.ts';
import { Life } from './life.ts';
import { SimDisk } from './sim-disk.ts';
import type { SimNodeInit } from './sim-node-init.ts';
import { between } from './world.ts';

export type { Moment } from './sim-node-init.ts';

const restartMsMax = 3_000;
const stopMsMax = 20_000;

/** One incarnation of a node: the production replica on a disk and a network that fail. */
export class SimNode {
  readonly disk: SimDisk;
  readonly self: PeerId;
  wallOffsetMs = 0;
  /** null: it is down. */
  life: Life | null = null;
  /** null: it is down, or not up yet, or it stops. */
  running: Running | null = null;
  /** Also while it stops: it goes on for a moment. */
  watched: Watched | null = null;
  readonly #init: SimNodeInit;
  /** This life was hit by a fault of the disk: it may end because of it. */
  #errorsBefore = 0;
  #isRetired = false;

  constructor(init: SimNodeInit) {
    this.#init = init;
    this.self = peerIdOf(init.member.nodeId, init.member.incarnation);
    this.disk = new SimDisk(init.world, (fault) => addFault(init.faults, fault));
  }

  get name(): string {
    return this.self;
  }

  get member(): Member {
    return this.#init.member;
  }

  get address(): string {
    return this.#init.member.raftAddress;
  }

  get replica(): Replica | null {
    return this.running?.replica ?? null;
  }

  /** Up, and not standing still. */
  get isResponsive(): boolean {
    return this.running !== null && this.life?.isPaused === false;
  }

  start(): void {
    if (this.life !== null || this.#isRetired) return;
    const { world, network, touch, profile } = this.#init;
    const { driftPerMille } = profile;
    network.revive(this.address);
    const life = new Life({
      world,
      wallOffsetMs: () => this.wallOffsetMs,
      clockRate: 1 + between(world.random, -driftPerMille, driftPerMille) / 1000,
      touch: () => touch(this),
    });
    this.life = life;
    this.disk.life = life;
    this.#errorsBefore = this.disk.errorCount;
    world.note(`${this.name} starts`);
    this.#boot(life).catch((error: unknown) => this.#die(life, error));
  }

  /** Power fails, with or without a word to those who were connected. */
  crash(isSilent: boolean): void {
    if (this.#end(`loses power${isSilent ? ' silently' : ''}`, isSilent)) this.disk.crash();
  }

  /** Power fails, and a sector of the log is written in part. */
  crashTorn(): boolean {
    return this.#end('loses power while a sector is written', false) && this.disk.crashTorn();
  }

  /** Dies within one of the next operations of its disk; `end` says how, and must end it. */
  crashAtStep(steps: number, end: () => void): void {
    const { life } = this;
    if (life === null) return;
    this.disk.crashAtStep(steps, () => {
      life.end();
      this.#init.world.after(0, () => {
        if (this.life !== life) return;
        end();
        this.#startSoon();
      });
    });
  }

  /** The process finds that its disk is not what it was. */
  condemn(error: unknown): void {
    if (this.life !== null) this.#die(this.life, error);
  }

  /** The process ends; the machine goes on. */
  kill(): void {
    if (this.#end('is killed', false)) this.disk.kill();
  }

  /** Ends as an operator would have it end, and starts again some time after. */
  stop(): void {
    const { running, life } = this;
    if (running === null || life === null) return;
    const { world } = this.#init;
    world.note(`${this.name} stops`);
    this.running = null;
    this.watched = { ...running, isStopping: true };
    stopAll(running).then(
      () => {
        if (this.life === life) this.kill();
        this.#startSoon();
      },
      (error: unknown) => this.#die(life, error),
    );
    world.after(stopMsMax, () => {
      if (!life.isOver) this.#die(life, new Error('it does not stop'));
    });
  }

  /** For ever: another incarnation takes its place. */
  retire(): void {
    this.crash(false);
    this.#isRetired = true;
  }

  #end(how: string, isSilent: boolean): boolean {
    if (this.life === null) return false;
    const { world, network } = this.#init;
    world.note(`${this.name} ${how}`);
    this.life.end();
    this.life = null;
    this.running = this.watched = null;
    network.lose(this.address, isSilent);
    return true;
  }

  async #boot(life: Life): Promise<void> {
    const { disk, self } = this;
    const running = await bootNode(this.#init, {
      self,
      disk,
      life,
      replica: () => this.replica,
      setPeers: (transport, configuration) => this.#setPeers(transport, configuration),
      deliver: (message) => this.#init.deliver(this, message),
      onMoment: (moment) => this.#init.onMoment(this, moment),
      onFatal: (error) => this.#die(life, error),
    });
    if (life.isOver) return;
    this.running = this.watched = running;
    this.#init.world.note(`${this.name} is up at ${running.replica.view.appliedIndex}`);
    running.replica.start();
    this.#init.onUp(this);
  }

  /** The process ends itself, a moment later as the real one does. Without a reason that is wrong. */
  #die(life: Life, error: unknown): void {
    const { world, onDamaged } = this.#init;
    if (life.isOver) return;
    const message = error instanceof Error ? error.message : String(error);
    world.note(`${this.name} must stop: ${message}`);
    const isDamage = this.disk.isDamaged && codeOf(error) === 'STORAGE_DAMAGED';
    // A file that is gone may be met by a write before a start looks for it; a bad snapshot condemns nothing.
    const hasRot = this.disk.isDamaged && (isFileGone(error) || isBadSnapshot(error));
    const hasFailed = this.disk.errorCount > this.#errorsBefore || hasRot;
    if (!isDamage && !(hasFailed && codeOf(error) === 'STORAGE_FAILED')) {
      world.fail(new Error(`${this.name} failed without a reason: ${message}`, { cause: error }));
    }
    world.after(0, () => {
      if (this.life !== life) return;
      this.kill();
      if (isDamage) onDamaged(this);
    });
    if (!isDamage) this.#startSoon();
  }

  #startSoon(): void {
    const { world } = this.#init;
    world.after(1 + world.random.intBelow(restartMsMax), () => this.start());
  }

  /** A message arrives that is not the newest of its connection, or of no connection any more. */
  receiveLate(message: RaftMessage): void {
    this.life?.pass(() => this.replica?.receive([message]));
  }

  /** Gossip brings news about another node. */
  meet(): void {
    const { running } = this;
    if (running !== null) this.#setPeers(running.transport, running.replica.configuration);
  }

  #setPeers(transport: PeerTransport, configuration: Configuration): void {
    const leader = this.running?.replica.view.leader ?? null;
    const known = { self: this.self, host: null, leader };
    transport.setPeers(peerAddresses(configuration, this.#init.gossip(), known));
  }
}

/** Whether the system said so, here or in what caused it. */
function isFileGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'ENOENT') || isFileGone(error.cause);
}

const isBadSnapshot = (error: unknown): boolean =>
  error instanceof Error && codeOf(error.cause) === 'STORAGE_DAMAGED';

async function stopAll({ replica, transport, directory }: Running): Promise<void> {
  await replica.stop();
  await transport.stop();
  await directory.close();
}
