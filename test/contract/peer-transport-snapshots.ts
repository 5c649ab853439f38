import { expect } from 'chai';
import { QuorateError } from '../../src/shared/index.ts';
import {
  chunkOf,
  codeOfRejection,
  freeAddress,
  introduce,
  never,
  one,
  TestIntake,
  TestSource,
  two,
  until,
} from './peer-transport-support.ts';
import type { TestNodes } from './peer-transport-support.ts';

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The part of the PeerTransport contract that is about snapshots. */
export function describePeerSnapshots(nodes: () => TestNodes): void {
  it('sendSnapshot() resolves when the receiver holds every chunk', async () => {
    const [first, second] = await nodes().pair();
    const intake = new TestIntake();
    second.received.takeSnapshot = intake.receive;
    const source = new TestSource(20);
    await first.transport.sendSnapshot(two, source, never);
    expect(intake.isFinished).to.be.true;
    expect(intake.aborts).to.be.empty;
    expect(intake.chunks.map((chunk) => [...chunk])).to.deep.equal(
      Array.from({ length: 20 }, (_, number) => [...chunkOf(number)]),
    );
    const [offer] = intake.offers;
    expect({ ...offer, header: [...(offer?.header ?? [])] }).to.deep.equal({
      ...source.offer,
      header: [1, 2, 3],
    });
  });

  it('sendSnapshot() sends nothing to a receiver that has it all', async () => {
    const [first, second] = await nodes().pair();
    const intake = new TestIntake();
    for (let number = 0; number < 3; number++) intake.chunks.push(chunkOf(number));
    second.received.takeSnapshot = intake.receive;
    const source = new TestSource(3);
    await first.transport.sendSnapshot(two, source, never);
    expect(source.reads).to.be.empty;
    expect(intake.isFinished).to.be.true;
  });

  it('sendSnapshot() resumes after a cut at the chunk that is missing', async () => {
    const [first, second] = await nodes().pair();
    const intake = new TestIntake();
    second.received.takeSnapshot = intake.receive;
    intake.beforeTake = (number) => {
      if (number === 5) void second.transport.stop();
      return Promise.resolve();
    };
    const cut = first.transport.sendSnapshot(two, new TestSource(12), never);
    expect(await codeOfRejection(cut)).to.equal('UNREACHABLE');
    await until('the abort', () => intake.aborts.length === 1);
    intake.beforeTake = () => Promise.resolve();

    const again = await nodes().start(two, await freeAddress());
    again.received.takeSnapshot = intake.receive;
    introduce(first, again);
    const source = new TestSource(12);
    await first.transport.sendSnapshot(two, source, never);
    expect(source.reads[0]).to.equal(6);
    expect(intake.chunks.map((chunk) => chunk[0])).to.deep.equal([...Array(12).keys()]);
    expect(intake.isFinished).to.be.true;
  });

  it('sendSnapshot() reads no further ahead than a slow receiver lets it', async () => {
    const [first, second] = await nodes().pair();
    const intake = new TestIntake();
    second.received.takeSnapshot = intake.receive;
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    intake.beforeTake = () => blocked;
    const source = new TestSource(300, 128 * 1024);
    const done = first.transport.sendSnapshot(two, source, never);
    let seen = -1;
    await until('the source to pause', () => {
      const isStill = source.reads.length > 0 && source.reads.length === seen;
      seen = source.reads.length;
      return isStill;
    });
    expect(source.reads.length).to.be.below(200);
    release();
    await done;
    expect(intake.chunks).to.have.length(300);
  }).timeout(30_000);

  it('sendSnapshot() ends only when the last chunk is taken, however early its end came', async () => {
    const [first, second] = await nodes().pair();
    const intake = new TestIntake();
    second.received.takeSnapshot = intake.receive;
    const source = new TestSource(3);
    let takenAtFinish = -1;
    // Long enough for what the peer still has to send: all of it waits in the stream.
    intake.beforeTake = () => turns(200);
    intake.beforeFinish = () => {
      takenAtFinish = intake.chunks.length;
      return Promise.resolve();
    };
    await first.transport.sendSnapshot(two, source, never);
    expect(takenAtFinish).to.equal(3);
  });

  it("sendSnapshot() rethrows the receiver's refusal", async () => {
    const [first, second] = await nodes().pair();
    second.received.takeSnapshot = () =>
      Promise.reject(new QuorateError('STORE_FULL', 'Cannot take a snapshot as asked: no room'));
    const sent = first.transport.sendSnapshot(two, new TestSource(3), never);
    expect(await codeOfRejection(sent)).to.equal('STORE_FULL');
  });

  it('sendSnapshot() rethrows what a chunk or the end failed with, and aborts', async () => {
    const [first, second] = await nodes().pair();
    const damaged = new QuorateError('STORAGE_DAMAGED', 'Cannot take a chunk as sent: damaged');
    const intake = new TestIntake();
    second.received.takeSnapshot = intake.receive;
    intake.beforeTake = (number) => (number === 2 ? Promise.reject(damaged) : Promise.resolve());
    const broken = first.transport.sendSnapshot(two, new TestSource(9), never);
    expect(await codeOfRejection(broken)).to.equal('STORAGE_DAMAGED');
    intake.beforeTake = () => Promise.resolve();
    intake.beforeFinish = () => Promise.reject(damaged);
    const unfinished = first.transport.sendSnapshot(two, new TestSource(9), never);
    expect(await codeOfRejection(unfinished)).to.equal('STORAGE_DAMAGED');
    expect(intake.aborts).to.deep.equal([damaged.message, damaged.message]);
  });

  it('sendSnapshot() rethrows what its source failed with, and the receiver aborts', async () => {
    const [first, second] = await nodes().pair();
    const intake = new TestIntake();
    second.received.takeSnapshot = intake.receive;
    const source = new TestSource(3);
    source.readChunk = () => Promise.reject(new QuorateError('STORAGE_FAILED', 'Cannot read'));
    const sent = first.transport.sendSnapshot(two, source, never);
    expect(await codeOfRejection(sent)).to.equal('STORAGE_FAILED');
    await until('the abort', () => intake.aborts.length === 1);
  });

  it('sendSnapshot() is STOPPED when called off, and the receiver aborts', async () => {
    const [first, second] = await nodes().pair();
    const intake = new TestIntake();
    second.received.takeSnapshot = intake.receive;
    const caller = new AbortController();
    intake.beforeTake = () => {
      caller.abort();
      return Promise.resolve();
    };
    const sent = first.transport.sendSnapshot(two, new TestSource(50), caller.signal);
    expect(await codeOfRejection(sent)).to.equal('STOPPED');
    await until('the abort', () => intake.aborts.length === 1);
    expect(intake.isFinished).to.be.false;
    const late = first.transport.sendSnapshot(two, new TestSource(1), caller.signal);
    expect(await codeOfRejection(late)).to.equal('STOPPED');
  });

  it('a second snapshot of one peer begins only after the first has let go', async () => {
    const [first, second] = await nodes().pair();
    const order: string[] = [];
    let release: () => void = () => undefined;
    second.received.takeSnapshot = (_from, offer) => {
      order.push(`offer ${offer.chunkCount}`);
      return Promise.resolve({
        startAt: 0,
        take: () =>
          offer.chunkCount === 1
            ? new Promise((resolve) => (release = resolve))
            : Promise.resolve(),
        finish: () => Promise.resolve(),
        abort: () => order.push(`abort ${offer.chunkCount}`),
      });
    };
    const old = codeOfRejection(first.transport.sendSnapshot(two, new TestSource(1), never));
    await until('the first offer', () => order.length === 1);
    const next = first.transport.sendSnapshot(two, new TestSource(2), never);
    expect(await old).to.equal('UNREACHABLE');
    expect(order).to.deep.equal(['offer 1']);
    release();
    await next;
    expect(order).to.deep.equal(['offer 1', 'abort 1', 'offer 2']);
  });

  it('sendSnapshot() is UNREACHABLE when nobody is there', async () => {
    const first = await nodes().start(one, await freeAddress());
    const unknown = first.transport.sendSnapshot(two, new TestSource(1), never);
    expect(await codeOfRejection(unknown)).to.equal('UNREACHABLE');
    first.transport.setPeers(new Map([[two, await freeAddress()]]));
    const absent = first.transport.sendSnapshot(two, new TestSource(1), never);
    expect(await codeOfRejection(absent)).to.equal('UNREACHABLE');
  });
}
