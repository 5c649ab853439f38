import { expect } from 'chai';

import { SnapshotSender } from '../../../../src/node/replica/snapshot-sender.ts';
import type { SnapshotSenderInit } from '../../../../src/node/replica/snapshot-sender.ts';
import type { RaftView } from '../../../../src/raft/index.ts';
import { asIndex, asPeerId, asTerm, QuorateError } from '../../../../src/shared/index.ts';
import { MemoryDisk, MemoryKvDisk } from '../../../../src/storage/index.ts';

import { baseAt, clusterId, codeFrom, SnapshotBench } from '../../../contract/snapshot-support.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { LinesLogger } from '../support.ts';

type SenderView = Pick<RaftView, 'role' | 'term' | 'firstIndex' | 'lastIndex' | 'peers'>;

const follower = asPeerId('n2@aa01');
const mebibyte = 1024 * 1024;

describe('SnapshotSender', () => {
  let bench: SnapshotBench;
  let clock: VirtualClock;
  let sent: boolean[];
  let freeBytes: number;
  const view: SenderView = {
    role: 'leader',
    term: asTerm(3),
    firstIndex: asIndex(8),
    lastIndex: asIndex(9),
    peers: [],
  };

  beforeEach(async () => {
    freeBytes = 1024 * mebibyte;
    clock = new VirtualClock();
    sent = [];
    const files = new MemoryDisk({ freeBytes: () => freeBytes }).mount();
    for (const directory of ['/data', '/data/outbox']) await files.makeDirectory(directory);
    const factory = new MemoryKvDisk().mount();
    bench = await SnapshotBench.make({ files, factory, root: '/data' });
  });

  afterEach(() => bench.end());

  /** A sender whose log begins at 8, so that the snapshot of 7 is enough for all who ask. */
  const senderWith = (changes: Pick<SnapshotSenderInit, 'send'> & Partial<SnapshotSenderInit>) =>
    new SnapshotSender({
      files: bench.place.files,
      directory: bench.outbox,
      clusterId,
      chunkBytes: 4096,
      clock,
      logger: new LinesLogger(),
      engine: () => bench.engine,
      stateBytes: () => 100 * mebibyte,
      view: () => view,
      baseAt,
      observe: () => undefined,
      onSent: (_to, _index, ok) => sent.push(ok),
      ...changes,
    });

  const answered = async (): Promise<readonly boolean[]> => {
    for (let i = 0; i < 1_000 && sent.length === 0; i++) await clock.advance(10);
    return sent;
  };

  for (const [what, after] of [
    ['another term has begun', { term: asTerm(4) }],
    ['it has handed over', { role: 'follower' }],
  ] as const) {
    it(`sends no chunk once ${what}: the next leader may have a snapshot of its own`, async () => {
      let now = view;
      let code: unknown = null;
      const sender = senderWith({
        view: () => now,
        send: async (_to, source) => {
          await source.readChunk(0);
          now = { ...view, ...after };
          code = await codeFrom(source.readChunk(1));
          await source.readChunk(2);
        },
      });
      sender.send(follower);
      expect(await answered()).to.deep.equal([false]);
      expect(code).to.equal('NOT_LEADER');
    });
  }

  it('offers nothing in a term that it does not lead: the receiver would follow that term', async () => {
    let offers = 0;
    const sender = senderWith({
      view: () => ({ ...view, role: 'candidate', term: asTerm(4) }),
      send: () => {
        offers++;
        return Promise.resolve();
      },
    });
    sender.send(follower);
    expect(await answered()).to.deep.equal([false]);
    expect(offers).to.equal(0);
  });

  it('makes none without room for the state, holds up no cut of the log, and tries again later', async () => {
    freeBytes = 196 * mebibyte - 1;
    const sender = senderWith({ send: () => Promise.resolve() });
    sender.send(follower);
    await clock.advance(4_000);
    expect(sender.pinnedIndex).to.equal(null);
    expect(sent, 'not yet').to.deep.equal([]);
    await clock.advance(1_000);
    expect(sent).to.deep.equal([false]);
    expect(await bench.place.files.list(bench.outbox)).to.deep.equal([]);
    freeBytes++;
    sent.length = 0;
    sender.send(follower);
    expect(await answered()).to.deep.equal([true]);
  });

  it('gives a peer that has no room for it the time to make some', async () => {
    const full = new QuorateError('STORE_FULL', 'Cannot take in a snapshot');
    const sender = senderWith({ send: () => Promise.reject(full) });
    sender.send(follower);
    await clock.advance(4_000);
    expect(sent).to.deep.equal([]);
    await sender.stop();
    expect(clock.pendingCount).to.equal(0);
  });

  describe('after a transfer that broke', () => {
    const peer = { peer: follower, matchIndex: asIndex(0), silentMs: 0 };
    const leading = { ...view, peers: [{ ...peer, state: 'snapshot' as const }] };
    let attempts: number;
    let now: SenderView;
    let sender: SnapshotSender;

    /** One attempt that breaks after its third chunk, and the pause that follows. */
    async function attempt(): Promise<void> {
      const before = attempts;
      sender.send(follower);
      for (let i = 0; i < 1_000 && attempts === before; i++) await clock.advance(10);
      expect(attempts).to.equal(before + 1);
    }

    beforeEach(async () => {
      attempts = 0;
      now = leading;
      sender = senderWith({
        view: () => now,
        send: async (_to, source) => {
          for (const number of [0, 1, 2]) await source.readChunk(number);
          throw new QuorateError('UNREACHABLE', 'Cannot go on: the link is down');
        },
        onSent: () => attempts++,
      });
      await attempt();
    });

    it('the log behind the snapshot stays: the transfer will go on with the same one', async () => {
      await clock.advance(5 * 60_000);
      expect(sender.pinnedIndex).to.equal(7);
    });

    it('the log is cut 10 minutes later, however often the same chunks were sent again', async () => {
      for (let minute = 1; minute < 10; minute++) {
        await clock.advance(60_000);
        await attempt();
        expect(sender.pinnedIndex).to.equal(7);
      }
      await clock.advance(60_000);
      expect(sender.pinnedIndex).to.equal(null);
    });

    it('the log is cut at once when the node leads no more', () => {
      now = view;
      expect(sender.pinnedIndex).to.equal(null);
    });
  });
});
