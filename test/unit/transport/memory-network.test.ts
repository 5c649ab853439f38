import { expect } from 'chai';
import { seededRandom, utf8 } from '../../../src/shared/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import {
  createMemoryPeerTransport,
  MemoryNetwork,
  noFaults,
} from '../../../src/transport/index.ts';
import type { PeerTransport } from '../../../src/transport/index.ts';
import { SNAPSHOT_SILENCE_MS } from '../../../src/transport/peer/limits.ts';
import {
  append,
  chunkOf,
  cluster,
  codeOfRejection,
  heartbeat,
  KeptLog,
  one,
  Recorder,
  TestIntake,
  TestSource,
  two,
  never,
} from '../../contract/peer-transport-support.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const empty = new Uint8Array(0);

interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly first: PeerTransport;
  readonly second: PeerTransport;
  readonly atFirst: Recorder;
  readonly atSecond: Recorder;
}

async function connectedWorld(seed: number, faults = noFaults): Promise<World> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, seededRandom(seed), faults);
  const first = makeTransport({ clock, network }, one, 'a:1', seed + 1);
  const second = makeTransport({ clock, network }, two, 'b:1', seed + 1);
  const atFirst = new Recorder();
  const atSecond = new Recorder();
  await first.start(atFirst);
  await second.start(atSecond);
  const peers = new Map([
    [one, 'a:1'],
    [two, 'b:1'],
  ]);
  first.setPeers(peers);
  second.setPeers(peers);
  await clock.advance(500);
  return { clock, network, first, second, atFirst, atSecond };
}

function makeTransport(
  { clock, network }: Pick<World, 'clock' | 'network'>,
  self: PeerId,
  listen: string,
  seed = 0,
): PeerTransport {
  const init = { self, clusterId: cluster, listen, advertise: listen, clock };
  const random = seededRandom(seed);
  return createMemoryPeerTransport({ ...init, logger: new KeptLog(), random }, network);
}

const isUp = (transport: PeerTransport): boolean =>
  transport.status().every((peer) => peer.connected);

describe('MemoryNetwork', () => {
  it('cut() holds frames back, heal() lets them go on in order', async () => {
    const { clock, network, first, atSecond } = await connectedWorld(1);
    network.cut('a:1', 'b:1');
    for (let round = 1; round <= 3; round++) {
      first.send(heartbeat(one, two, round));
      await clock.advance(100);
    }
    expect(atSecond.messages).to.be.empty;
    network.heal('a:1', 'b:1');
    await clock.advance(1);
    expect(
      atSecond.messages.map((message) => 'readRound' in message && message.readRound),
    ).to.deep.equal([1, 2, 3]);
  });

  it('cut() in one direction leaves the other alone', async () => {
    const { clock, network, second, atFirst } = await connectedWorld(2);
    network.cut('a:1', 'b:1');
    second.send(heartbeat(two, one, 1));
    await clock.advance(10);
    expect(atFirst.messages).to.have.length(1);
  });

  it('a cut is noticed by silence, and links come back after healAll()', async () => {
    const { clock, network, first, second, atSecond } = await connectedWorld(3);
    network.cut('a:1', 'b:1');
    network.cut('b:1', 'a:1');
    first.send(heartbeat(one, two, 1));
    await clock.advance(4990);
    expect(isUp(first)).to.be.true;
    await clock.advance(20);
    expect(isUp(first)).to.be.false;
    await clock.advance(20_000);
    expect(isUp(first)).to.be.false;
    network.healAll();
    await clock.advance(3000);
    expect(isUp(first) && isUp(second)).to.be.true;
    first.send(append(one, two, empty));
    await clock.advance(1);
    expect(atSecond.messages.at(-1)?.kind).to.equal('appendRequest');
  });

  it('a peer that comes back is dialled as soon as it dials, not after the pause', async () => {
    const { clock, network, first, second } = await connectedWorld(12);
    await second.stop();
    await clock.advance(20_000);
    expect(isUp(first)).to.be.false;
    const again = makeTransport({ clock, network }, two, 'b:1');
    await again.start(new Recorder());
    again.setPeers(new Map([[one, 'a:1']]));
    await clock.advance(1);
    expect(isUp(again)).to.be.true;
    expect(isUp(first)).to.be.true;
  });

  it('a call into a cut is UNKNOWN_OUTCOME, one that finds no link UNREACHABLE', async () => {
    const { clock, network, first, atSecond } = await connectedWorld(4);
    network.cut('a:1', 'b:1');
    const sent = codeOfRejection(first.call(two, 'propose', empty, 300));
    await clock.advance(300);
    expect(await sent).to.equal('UNKNOWN_OUTCOME');
    await clock.advance(10_000);
    const unsent = codeOfRejection(first.call(two, 'propose', empty, 3000));
    await clock.advance(3000);
    expect(await unsent).to.equal('UNREACHABLE');
    expect(atSecond.calls).to.be.empty;
  });

  it('a call that was UNREACHABLE is not sent when the link opens later', async () => {
    const { clock, network, first, second, atSecond } = await connectedWorld(11);
    first.setPeers(new Map());
    network.setFaults({ ...noFaults, delayMsMin: 100, delayMsMax: 100 });
    first.setPeers(new Map([[two, 'b:1']]));
    const call = codeOfRejection(first.call(two, 'propose', empty, 50));
    await clock.advance(50);
    expect(await call).to.equal('UNREACHABLE');
    await clock.advance(2000);
    expect(isUp(first) && isUp(second)).to.be.true;
    expect(atSecond.calls).to.be.empty;
  });

  it('lostPerMille takes Raft messages only', async () => {
    const { clock, network, first, atSecond } = await connectedWorld(5);
    network.setFaults({ ...noFaults, lostPerMille: 1000 });
    for (let round = 0; round < 10; round++) {
      first.send(heartbeat(one, two, round));
      await clock.advance(1);
    }
    const answer = first.call(two, 'propose', utf8('safe'), 100);
    await clock.advance(1);
    expect(await answer).to.have.length(4);
    expect(atSecond.messages).to.be.empty;
    expect(isUp(first)).to.be.true;
  });

  it('brokenPerMille breaks connections, which come back', async () => {
    const { clock, network, first } = await connectedWorld(6);
    network.setFaults({ ...noFaults, brokenPerMille: 1000 });
    const call = codeOfRejection(first.call(two, 'propose', empty, 100));
    await clock.advance(1);
    expect(await call).to.equal('UNKNOWN_OUTCOME');
    network.setFaults(noFaults);
    await clock.advance(2500);
    expect(isUp(first)).to.be.true;
  });

  it('slowDialPerMille lets connections take up to a second to stand', async () => {
    const { clock, network, first } = await connectedWorld(13);
    network.slowDialPerMille = 1000;
    first.setPeers(new Map());
    first.setPeers(new Map([[two, 'b:1']]));
    await clock.advance(5);
    expect(isUp(first)).to.be.false;
    await clock.advance(1000);
    expect(isUp(first)).to.be.true;
    expect(network.slowDialCount).to.equal(3);
  });

  it('slowDialCount counts no connection to an address where nobody listens', async () => {
    const { clock, network, first, second } = await connectedWorld(14);
    await second.stop();
    network.slowDialPerMille = 1000;
    await clock.advance(5_000);
    expect(isUp(first)).to.be.false;
    expect(network.slowDialCount).to.equal(0);
  });

  it('delays keep the order within a lane', async () => {
    const faults = { ...noFaults, delayMsMin: 1, delayMsMax: 50 };
    const { clock, first, atSecond } = await connectedWorld(7, faults);
    for (let round = 0; round < 100; round++) {
      first.send(heartbeat(one, two, round));
      await clock.advance(3);
    }
    await clock.advance(100);
    const rounds = atSecond.messages.map((message) =>
      message.kind === 'heartbeat' ? message.readRound : -1,
    );
    expect(rounds).to.deep.equal([...Array(100).keys()]);
  });

  it('the same seed gives the same deliveries', async () => {
    const faults = { lostPerMille: 200, brokenPerMille: 20, delayMsMin: 0, delayMsMax: 30 };
    const run = async (): Promise<unknown> => {
      const { clock, first, atSecond } = await connectedWorld(8, faults);
      for (let round = 0; round < 200; round++) {
        first.send(heartbeat(one, two, round));
        await clock.advance(10);
      }
      await clock.advance(3000);
      return atSecond.batches;
    };
    const trace = await run();
    expect(trace).to.have.length.greaterThan(50);
    expect(await run()).to.deep.equal(trace);
  });

  it('a snapshot gets through breaking connections by being sent again', async () => {
    const { clock, network, first, atSecond } = await connectedWorld(9);
    const intake = new TestIntake();
    atSecond.takeSnapshot = intake.receive;
    network.setFaults({ ...noFaults, brokenPerMille: 100 });
    let attempts = 0;
    while (!intake.isFinished && attempts < 100) {
      attempts++;
      const sent = codeOfRejection(first.sendSnapshot(two, new TestSource(60), never));
      await clock.advance(500);
      expect(await sent).to.be.oneOf(['resolved', 'UNREACHABLE']);
    }
    expect(attempts).to.be.greaterThan(1);
    expect(intake.chunks.map((chunk) => chunk[0])).to.deep.equal([...Array(60).keys()]);
  });

  it('a receiver waits for no sender whose disk hangs, and has its turn for another one', async () => {
    const { clock, first, atSecond } = await connectedWorld(15);
    const intake = new TestIntake();
    atSecond.takeSnapshot = intake.receive;
    const hung = new TestSource(3);
    const read = (number: number): Promise<Uint8Array> =>
      number === 2 ? new Promise(() => undefined) : Promise.resolve(chunkOf(number));
    const sent = codeOfRejection(
      first.sendSnapshot(two, { offer: hung.offer, readChunk: read }, never),
    );
    await clock.advance(SNAPSHOT_SILENCE_MS - 1);
    expect(intake.aborts).to.deep.equal([]);
    await clock.advance(2);
    expect(intake.aborts).to.deep.equal(['Cannot wait for the snapshot: no chunk came for 30 s']);
    expect(await sent).to.equal('UNREACHABLE');
    const again = first.sendSnapshot(two, new TestSource(3), never);
    await clock.advance(SNAPSHOT_SILENCE_MS + 1);
    await again;
    expect(intake.isFinished).to.be.true;
    expect(intake.aborts).to.have.length(1);
  });

  it('stop() of all transports leaves no timer', async () => {
    const { clock, first, second } = await connectedWorld(10);
    void codeOfRejection(first.call(two, 'propose', empty, 60_000));
    await first.stop();
    await second.stop();
    await clock.advance(1);
    expect(clock.pendingCount).to.equal(0);
  });
});
