import { expect } from 'chai';
import { asClusterId, seededRandom, withLineage } from '../../../src/shared/index.ts';
import { Link } from '../../../src/transport/peer/link.ts';
import type { OutdatedBy } from '../../../src/transport/index.ts';
import { LogGate } from '../../../src/transport/peer/log-gate.ts';
import type { OutboundEvents, Pipes } from '../../../src/transport/peer/pipes.ts';
import { cluster, KeptLog, one, two } from '../../contract/peer-transport-support.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

interface Dial {
  readonly atMs: number;
  readonly events: OutboundEvents;
}

function linkWorld() {
  const clock = new VirtualClock();
  const dials: Dial[] = [];
  let cancelCount = 0;
  const pipes: Pipes = {
    dial: (_address, _rpc, events) => {
      dials.push({ atMs: clock.monotonicMs(), events });
      return { write: () => undefined, finish: () => undefined, cancel: () => cancelCount++ };
    },
    serve: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
  const log = new KeptLog();
  const outdatedBy: OutdatedBy[] = [];
  const context = {
    pipes,
    clock,
    identity: () => ({ self: one, clusterId: cluster, address: 'a:1' }),
    random: seededRandom(1),
    logger: log,
    logGate: new LogGate(clock),
    onOutdated: (by: OutdatedBy) => outdatedBy.push(by),
  };
  const downs: string[] = [];
  const link = new Link(
    context,
    { rpc: 'Control', peer: two, address: 'b:1' },
    {
      onRoom: () => undefined,
      onFrame: () => undefined,
      onDown: (reason) => downs.push(reason),
    },
  );
  const lastDial = (): Dial => {
    const dial = dials.at(-1);
    if (dial === undefined) throw new Error('nothing was dialled');
    return dial;
  };
  return {
    clock,
    dials,
    link,
    log,
    context,
    downs,
    outdatedBy,
    lastDial,
    cancels: () => cancelCount,
  };
}

type LinkWorld = ReturnType<typeof linkWorld>;

function open(world: LinkWorld): void {
  const hello = { version: 1, cluster, from: two, to: one, address: 'b:1' };
  world.lastDial().events.onConnected();
  world.lastDial().events.onFrame({ body: 'hello', hello });
}

/** Ends the pipe and returns how long the link waits before it dials again. */
async function pauseAfterEnd(world: LinkWorld, refused: boolean): Promise<number> {
  const endedAtMs = world.clock.monotonicMs();
  const count = world.dials.length;
  world.lastDial().events.onEnd({ refused, reason: 'because' });
  while (world.dials.length === count) await world.clock.advance(1);
  return world.lastDial().atMs - endedAtMs;
}

describe('Link', () => {
  it('waits 25 to 50 ms after the first failure, then twice as long up to 1 s', async () => {
    const world = linkWorld();
    const pauses: number[] = [];
    for (let failure = 0; failure < 8; failure++) pauses.push(await pauseAfterEnd(world, false));
    const ceilings = [50, 100, 200, 400, 800, 1000, 1000, 1000];
    pauses.forEach((pause, failure) => {
      const ceiling = ceilings[failure] ?? 0;
      expect(pause, `pause ${failure}`).to.be.within(ceiling / 2, ceiling);
    });
  });

  it('begins again at the shortest pause after it stood for a second', async () => {
    const world = linkWorld();
    for (let failure = 0; failure < 6; failure++) await pauseAfterEnd(world, false);
    open(world);
    await world.clock.advance(1500);
    expect(await pauseAfterEnd(world, false)).to.be.within(25, 50);
  });

  it('keeps its long pause when it never stood for a second', async () => {
    const world = linkWorld();
    for (let failure = 0; failure < 6; failure++) await pauseAfterEnd(world, false);
    open(world);
    await world.clock.advance(10);
    expect(await pauseAfterEnd(world, false)).to.be.within(500, 1000);
  });

  it('waits long after a refusal and complains once', async () => {
    const world = linkWorld();
    expect(await pauseAfterEnd(world, true)).to.be.within(500, 1000);
    expect(await pauseAfterEnd(world, true)).to.be.within(500, 1000);
    expect(world.log.complaints).to.deep.equal(['Refused by n2 at b:1: because']);
  });

  it('says once that a peer is down, for all streams to it', async () => {
    const world = linkWorld();
    const events = { onRoom: () => undefined, onFrame: () => undefined, onDown: () => undefined };
    const target = { rpc: 'Append', peer: two, address: 'b:1' } as const;
    await pauseAfterEnd(world, false);
    const other = new Link(world.context, target, events);
    await pauseAfterEnd(world, false);
    expect(world.log.news).to.deep.equal(['Cannot reach n2 at b:1, trying again: because']);
    other.close();
  });

  it('gives up a peer that accepts connections but sends no hello for 2 s', async () => {
    const world = linkWorld();
    world.lastDial().events.onConnected();
    await world.clock.advance(1999);
    expect(world.downs).to.be.empty;
    await world.clock.advance(1);
    expect(world.downs).to.deep.equal(['it accepts connections but does not answer']);
    expect(world.cancels()).to.equal(1);
  });

  it('takes the hello of someone else for a refusal', () => {
    const world = linkWorld();
    const hello = { version: 1, cluster, from: 'n3@3', to: one, address: 'b:1' };
    world.lastDial().events.onConnected();
    world.lastDial().events.onFrame({ body: 'hello', hello });
    expect(world.downs).to.deep.equal(["it is 'n3@3'"]);
    expect(world.link.isOpen).to.be.false;
  });

  it('tells of a peer whose cluster is this one after a recovery, whatever incarnation answers', () => {
    for (const from of [two, 'n2@3']) {
      const world = linkWorld();
      const later = withLineage(cluster, 5, 'ab');
      world.lastDial().events.onConnected();
      const hello = { version: 1, cluster: later, from, to: one, address: 'b:1' };
      world.lastDial().events.onFrame({ body: 'hello', hello });
      expect(world.outdatedBy).to.deep.equal([{ cluster: later, peer: two, address: 'b:1' }]);
      expect(world.log.complaints[0]).to.contain('the data of n1 is from before the cluster was');
      expect(world.link.isOpen).to.be.false;
    }
  });

  it('tells of nothing when a peer is of another cluster, or of no later lineage', () => {
    for (const other of [
      '',
      `${'d'.repeat(32)}.5`,
      `${cluster}.0`,
      `${cluster}.x`,
      `${cluster}.1e9`,
      `${cluster}.5.x`,
    ]) {
      const world = linkWorld();
      world.lastDial().events.onConnected();
      const hello = { version: 1, cluster: asClusterId(other), from: two, to: one, address: 'b:1' };
      world.lastDial().events.onFrame({ body: 'hello', hello });
      expect(world.outdatedBy, other).to.be.empty;
    }
  });

  it('hurry() ends a pause, and disturbs nothing else', async () => {
    const world = linkWorld();
    for (let failure = 0; failure < 6; failure++) await pauseAfterEnd(world, false);
    world.link.hurry();
    expect(world.dials, 'while it dials').to.have.length(7);
    world.lastDial().events.onEnd({ refused: false, reason: 'because' });
    world.link.hurry();
    expect(world.dials, 'while it pauses').to.have.length(8);
    open(world);
    world.link.hurry();
    await world.clock.advance(10_000);
    expect(world.dials, 'while it stands').to.have.length(8);
    world.link.close();
    world.link.hurry();
    expect(world.dials, 'after its end').to.have.length(8);
    expect(world.clock.pendingCount).to.equal(0);
  });

  it('hurry() ends no two pauses in a row, however often a peer comes', async () => {
    const world = linkWorld();
    for (let failure = 0; failure < 6; failure++) await pauseAfterEnd(world, false);
    const fail = (): void => world.lastDial().events.onEnd({ refused: false, reason: 'because' });
    fail();
    world.link.hurry();
    fail();
    world.link.hurry();
    expect(world.dials).to.have.length(8);
    await world.clock.advance(499);
    expect(world.dials).to.have.length(8);
    await world.clock.advance(501);
    expect(world.dials).to.have.length(9);
    fail();
    world.link.hurry();
    expect(world.dials).to.have.length(10);
  });

  it('close() ends it for good', async () => {
    const world = linkWorld();
    open(world);
    expect(world.link.isOpen).to.be.true;
    world.link.close();
    await world.clock.advance(10_000);
    expect(world.dials).to.have.length(1);
    expect(world.clock.pendingCount).to.equal(0);
  });
});
