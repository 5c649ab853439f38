import { expect } from 'chai';

import type { ReceivedSnapshot } from '../../../../src/node/replica/snapshot-intake.ts';
import { SnapshotIntake } from '../../../../src/node/replica/snapshot-intake.ts';
import { encodeSnapshotIdentity } from '../../../../src/node/replica/snapshot-offer.ts';
import { asTerm, seededRandom } from '../../../../src/shared/index.ts';
import { MemoryDisk, MemoryKvDisk } from '../../../../src/storage/index.ts';
import type { StoredSnapshot } from '../../../../src/storage/index.ts';
import { createMemoryPeerTransport, MemoryNetwork } from '../../../../src/transport/index.ts';
import type { SnapshotSource } from '../../../../src/transport/index.ts';
import { never, realClock, TestNodes, two } from '../../../contract/peer-transport-support.ts';
import { clusterId, SnapshotBench } from '../../../contract/snapshot-support.ts';

describe('SnapshotIntake over a transport', () => {
  let bench: SnapshotBench;
  let nodes: TestNodes;
  let received: ReceivedSnapshot[];
  let reads: number[];

  beforeEach(async () => {
    const files = new MemoryDisk().mount();
    for (const directory of ['/data', '/data/outbox']) await files.makeDirectory(directory);
    bench = await SnapshotBench.make({ files, factory: new MemoryKvDisk().mount(), root: '/data' });
    const network = new MemoryNetwork(realClock, seededRandom(1));
    nodes = new TestNodes((init) => createMemoryPeerTransport(init, network));
    received = [];
    reads = [];
  });

  afterEach(async () => {
    await nodes.stopAll();
    await bench.end();
  });

  /** As of a process that was just started. */
  const newIntake = (): SnapshotIntake =>
    new SnapshotIntake({
      files: bench.place.files,
      directory: bench.inbox,
      clusterId,
      onReceived: (snapshot) => received.push(snapshot),
      onFatal: (error) => {
        throw error;
      },
    });

  const sourceOf = (snapshot: StoredSnapshot): SnapshotSource => ({
    offer: {
      term: asTerm(3),
      header: encodeSnapshotIdentity(snapshot.meta),
      resumeKey: snapshot.meta.hash,
      chunkCount: snapshot.meta.chunkCount,
    },
    readChunk: (number) => {
      reads.push(number);
      return snapshot.readChunk(number);
    },
  });

  it('hands a snapshot that a process did not come to install to the next one, without a chunk', async () => {
    const [first, second] = await nodes.pair();
    const snapshot = await bench.open(await bench.spool());
    for (const process of ['the one that ends', 'the next one']) {
      const intake = newIntake();
      second.received.takeSnapshot = (from, offer) => intake.accept(from, offer);
      await first.transport.sendSnapshot(two, sourceOf(snapshot), never);
      expect(reads, process).to.have.length(snapshot.meta.chunkCount);
    }
    expect(received).to.have.length(2);
    expect(received[1]).to.deep.equal(received[0]);
    await bench.install(await bench.open(received[1]?.path ?? ''), 1);
  });
});
