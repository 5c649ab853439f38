import { expect } from 'chai';

import { encodeSnapshotIdentity } from '../../../../src/node/replica/snapshot-offer.ts';
import { SnapshotExchange } from '../../../../src/node/replica/snapshot-exchange.ts';
import type { LogBase } from '../../../../src/raft/index.ts';
import { asIndex, asPeerId, asTerm, codeOf, seededRandom } from '../../../../src/shared/index.ts';
import type { StoredSnapshot } from '../../../../src/storage/index.ts';
import { MemoryDisk, MemoryKvDisk } from '../../../../src/storage/index.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  StateMachine,
} from '../../../../src/store/index.ts';
import type { SnapshotReceiver } from '../../../../src/transport/index.ts';
import { baseAt, clusterId, SnapshotBench } from '../../../contract/snapshot-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { envelope, put } from '../../store/harness.ts';
import { LinesLogger } from '../support.ts';

const leader = asPeerId('n2@aa01');

describe('SnapshotExchange', () => {
  let bench: SnapshotBench;
  let exchange: SnapshotExchange;
  let source: StoredSnapshot;
  /** Until then a transfer goes on. */
  let endSending: () => void;
  let disk: MemoryDisk;
  let onFatal: (error: unknown) => void;
  let onSent: () => void;
  /** Bases that the log has now. */
  let installed: number[];

  beforeEach(async () => {
    disk = new MemoryDisk();
    const files = disk.mount();
    onFatal = (error) => {
      throw error;
    };
    for (const path of ['/data', '/data/snapshots']) await files.makeDirectory(path);
    const kvFactory = new MemoryKvDisk().mount();
    bench = await SnapshotBench.make({ files, factory: kvFactory, root: '/data' });
    source = await bench.open(await bench.spool());
    const view = { role: 'leader', term: asTerm(3), firstIndex: 8, lastIndex: 9, peers: [] };
    onSent = () => undefined;
    const submit = ({ kind }: { readonly kind: string }): void => {
      if (kind === 'snapshotSent') onSent();
    };
    installed = [];
    const installBase = ({ index }: LogBase): Promise<void> => {
      installed.push(index);
      return Promise.resolve();
    };
    exchange = new SnapshotExchange({
      files,
      kvFactory,
      clock: new VirtualClock(),
      logger: new LinesLogger(),
      transport: { sendSnapshot: () => new Promise((resolve) => (endSending = resolve)) },
      dataDirectory: '/data',
      log: { recovered: { generation: 0, identity: { clusterId } }, installBase } as never,
      chunkBytes: 4096,
      driver: { view, submit, exclusively: (run: () => Promise<void>) => run() } as never,
      applier: { pause: () => Promise.resolve() } as never,
      state: () => ({ engine: bench.engine, machine: { databaseBytes: 0 } }) as never,
      baseAt,
      onSwitch: () => undefined,
      onInstalled: () => undefined,
      observe: () => undefined,
      onFatal: (error) => onFatal(error),
    });
  });

  afterEach(() => bench.end());

  const accept = (): Promise<SnapshotReceiver> => {
    const header = encodeSnapshotIdentity(source.meta);
    const { hash: resumeKey, chunkCount } = source.meta;
    return exchange.accept(leader, { term: asTerm(3), header, resumeKey, chunkCount });
  };

  async function received(): Promise<SnapshotReceiver> {
    const receiver = await accept();
    for (let i = 0; i < source.meta.chunkCount; i++) {
      await receiver.take(i, await source.readChunk(i));
    }
    return receiver;
  }

  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  async function left(): Promise<number> {
    exchange.makeRoom();
    await settle();
    return (await bench.place.files.list('/data/snapshots'))?.length ?? 0;
  }

  it('install() condemns nothing for a bad file: it deletes it, and fails', async () => {
    await (await received()).finish();
    disk.flipBit(seededRandom(1), (path) => path.startsWith('/data/snapshots/'));
    const failure = new Promise<unknown>((resolve) => (onFatal = resolve));
    exchange.install(source.meta.base);
    const error = await failure;
    expect(codeOf(error)).to.equal('STORAGE_FAILED');
    expect(String(error)).to.contain('the snapshot that came, which is deleted now');
    expect(await bench.place.files.list('/data/snapshots')).to.deep.equal([]);
  });

  it('install() gives up no state for rows that are not what their digest says', async () => {
    const machine = new StateMachine();
    machine.finishLoad(asIndex(0));
    const envelopes = [encodeEnvelope(envelope({ then: [put('a', 'x')] }))];
    const batch = decodeBatch(encodeBatch({ timeMs: 1, envelopes }));
    const { writes } = machine.apply(asIndex(1), batch, () => null);
    const engine = await bench.openGeneration(5);
    engine.enqueue(asIndex(1), writes, machine.digest() + 1);
    await engine.flush();
    const wrong = new SnapshotBench(bench.place, engine);
    source = await wrong.open(await wrong.spool());
    await (await received()).finish();
    const failure = new Promise<unknown>((resolve) => (onFatal = resolve));
    exchange.install(source.meta.base);
    const error = await failure;
    expect(codeOf(error)).to.equal('STORAGE_FAILED');
    expect(String(error)).to.match(/which is deleted now: .* its rows have the digest/);
    expect(installed).to.deep.equal([]);
    expect(await bench.engine.readMany([])).to.deep.equal([]);
    await wrong.end();
  });

  it('makeRoom() deletes what was received in part, but not while it is coming in', async () => {
    const receiver = await accept();
    await receiver.take(0, await source.readChunk(0));
    expect(await left()).to.equal(1);
    receiver.abort('its stream broke');
    await settle();
    expect(await left()).to.equal(0);
  });

  it('makeRoom() deletes a finished one, but not while it lies ready to be installed', async () => {
    await (await received()).finish();
    expect(await left()).to.equal(1);
    exchange.drop();
    expect(await left()).to.equal(0);
  });

  it('makeRoom() deletes a finished one, but not while it is sent', async () => {
    await (await received()).finish();
    exchange.drop();
    const ended = new Promise<void>((resolve) => (onSent = resolve));
    exchange.send(leader);
    await settle();
    expect(await left()).to.equal(1);
    endSending();
    await ended;
    expect(await left()).to.equal(0);
  });
});
