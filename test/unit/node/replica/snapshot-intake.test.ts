import { expect } from 'chai';
import { encodeSnapshotIdentity } from '../../../../src/node/replica/snapshot-offer.ts';
import { SnapshotIntake } from '../../../../src/node/replica/snapshot-intake.ts';
import type { ReceivedSnapshot } from '../../../../src/node/replica/snapshot-intake.ts';
import { asTerm } from '../../../../src/shared/index.ts';
import type { SnapshotMeta, StoredSnapshot } from '../../../../src/storage/index.ts';
import { createGrpcPeerTransport } from '../../../../src/transport/index.ts';
import type { SnapshotOffer } from '../../../../src/transport/index.ts';
import type { Frame } from '../../../../src/transport/peer/frames.ts';
import {
  freeAddress,
  introduce,
  never,
  one,
  TestNodes,
  two,
  until,
} from '../../../contract/peer-transport-support.ts';
import type { TestNode } from '../../../contract/peer-transport-support.ts';
import { clusterId, SnapshotBench } from '../../../contract/snapshot-support.ts';
import { memoryPlace } from '../../storage-engine/support.ts';
import { hello, RawPeer } from '../../transport/raw-peer.ts';

describe('SnapshotIntake behind a gRPC stream', () => {
  let nodes: TestNodes;
  let bench: SnapshotBench;
  let source: StoredSnapshot;
  let node: TestNode;
  let received: ReceivedSnapshot[];
  let open: RawPeer[];

  beforeEach(async () => {
    received = [];
    open = [];
    nodes = new TestNodes(createGrpcPeerTransport);
    bench = await SnapshotBench.make(await memoryPlace());
    source = await bench.open(await bench.spool());
    const { files } = bench.place;
    node = await nodes.start(one, await freeAddress());
    const intake = new SnapshotIntake({
      files,
      directory: bench.inbox,
      clusterId,
      onReceived: (snapshot) => received.push(snapshot),
      onFatal: (error) => {
        throw error;
      },
    });
    node.received.takeSnapshot = (from, offer) => intake.accept(from, offer);
  });

  afterEach(async () => {
    for (const peer of open) peer.close();
    await nodes.stopAll();
    await bench.end();
  });

  function offerOf(meta: SnapshotMeta, said: Partial<SnapshotOffer> = {}): SnapshotOffer {
    const { hash: resumeKey, chunkCount } = meta;
    const header = encodeSnapshotIdentity(meta);
    return { term: asTerm(3), header, resumeKey, chunkCount, ...said };
  }

  /** Offers, sends these chunks once they are asked for, and says that this was all. */
  async function send(offer: SnapshotOffer, chunkCount: number): Promise<readonly Frame[]> {
    const peer = new RawPeer(node.address, 'Snapshot');
    open.push(peer);
    peer.call.write(hello);
    peer.call.write({ body: 'offer', offer });
    await until('an answer', () => peer.frames.length > 1);
    const first = peer.frames[1];
    for (let i = first?.body === 'start' ? first.start.chunk : chunkCount; i < chunkCount; i++) {
      peer.call.write({ body: 'chunk', chunk: { number: i, bytes: await source.readChunk(i) } });
    }
    peer.call.end();
    await peer.end();
    return peer.frames;
  }

  const failureOf = (frames: readonly Frame[]): string => {
    const last = frames.at(-1);
    return last?.body === 'failure' ? `${last.failure.code}: ${last.failure.message}` : 'none';
  };

  async function expectHonestOneTaken(): Promise<void> {
    const friend = await nodes.start(two, await freeAddress());
    introduce(node, friend);
    const readChunk = (number: number): Promise<Uint8Array> => source.readChunk(number);
    await friend.transport.sendSnapshot(one, { offer: offerOf(source.meta), readChunk }, never);
    expect(received.map(({ path }) => path)).to.deep.equal([`${bench.inbox}/snapshot-7-3.qs`]);
    await bench.install(await bench.open(`${bench.inbox}/snapshot-7-3.qs`), 1);
  }

  it('refuses fewer chunks than the header names, and keeps nothing', async () => {
    const frames = await send(offerOf(source.meta, { chunkCount: 0 }), 0);
    expect(failureOf(frames)).to.match(/^PARAM_INVALID: .*0 chunks are offered, its header says/);
    expect(await bench.place.files.list(bench.inbox)).to.be.null;
    await expectHonestOneTaken();
  });

  it('refuses fewer chunks than an earlier transfer brought', async () => {
    const peer = new RawPeer(node.address, 'Snapshot');
    peer.call.write(hello);
    peer.call.write({ body: 'offer', offer: offerOf(source.meta) });
    for (const number of [0, 1, 2]) {
      const bytes = await source.readChunk(number);
      peer.call.write({ body: 'chunk', chunk: { number, bytes } });
    }
    await until('the start', () => peer.frames.length > 1);
    peer.call.end();
    expect(await peer.end()).to.equal('a snapshot ended before its last chunk');
    peer.close();
    const frames = await send(offerOf(source.meta, { chunkCount: 1 }), 1);
    expect(failureOf(frames)).to.match(/^PARAM_INVALID: .*1 chunks are offered/);
    await expectHonestOneTaken();
  });

  it('refuses a key that is not the hash in the header', async () => {
    const frames = await send(offerOf(source.meta, { resumeKey: 'a'.repeat(64) }), 1);
    expect(failureOf(frames)).to.match(/^PARAM_INVALID: .*its key is not the hash/);
    await expectHonestOneTaken();
  });

  it('does not finish on what another number of chunks left, though key and hash agree', async () => {
    const cut: SnapshotMeta = { ...source.meta, chunkCount: 2 };
    const frames = await send(offerOf(cut), 2);
    expect(failureOf(frames)).to.match(/^PARAM_INVALID: .*its hash is/);
    expect(received).to.be.empty;
    await expectHonestOneTaken();
  });

  it('refuses a header that cannot be read', async () => {
    const header = new Uint8Array([255, 255]);
    expect(failureOf(await send(offerOf(source.meta, { header }), 0))).to.match(/^PARAM_INVALID/);
    await expectHonestOneTaken();
  });
});
