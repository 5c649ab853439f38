import { expect } from 'chai';

import { SnapshotSender } from '../../../../src/node/replica/snapshot-sender.ts';
import type { RaftView } from '../../../../src/raft/index.ts';
import { asIndex, asPeerId, asTerm } from '../../../../src/shared/index.ts';
import { MemoryDisk, MemoryKvDisk } from '../../../../src/storage/index.ts';
import { baseAt, clusterId, codeFrom, SnapshotBench } from '../../../contract/snapshot-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { LinesLogger } from '../support.ts';

const follower = asPeerId('n2@aa01');

describe('SnapshotSender', () => {
  let bench: SnapshotBench;
  const view = { term: asTerm(3), firstIndex: asIndex(8), lastIndex: asIndex(9), peers: [] };

  beforeEach(async () => {
    const files = new MemoryDisk().mount();
    for (const directory of ['/data', '/data/outbox']) await files.makeDirectory(directory);
    const factory = new MemoryKvDisk().mount();
    bench = await SnapshotBench.make({ files, factory, root: '/data' });
  });

  afterEach(() => bench.end());

  it('sends no chunk once another term has begun: that leader may have a snapshot of its own', async () => {
    let term = view.term;
    let code: unknown = null;
    const sent: boolean[] = [];
    const clock = new VirtualClock();
    const sender = new SnapshotSender({
      files: bench.place.files,
      directory: bench.outbox,
      clusterId,
      chunkBytes: 4096,
      clock,
      logger: new LinesLogger(),
      engine: () => bench.engine,
      view: (): Pick<RaftView, 'term' | 'firstIndex' | 'lastIndex' | 'peers'> => ({
        ...view,
        term,
      }),
      baseAt,
      send: async (_to, source) => {
        await source.readChunk(0);
        term = asTerm(4);
        code = await codeFrom(source.readChunk(1));
        await source.readChunk(2);
      },
      observe: () => undefined,
      onSent: (_to, _index, ok) => sent.push(ok),
    });
    sender.send(follower);
    for (let i = 0; i < 1_000 && sent.length === 0; i++) await clock.advance(10);
    expect(sent).to.deep.equal([false]);
    expect(code).to.equal('NOT_LEADER');
  });
});
