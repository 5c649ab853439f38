import { expect } from 'chai';
import { AppendFiller } from '../../../src/node/replica/append-filler.ts';
import { EntryCache } from '../../../src/node/replica/entry-cache.ts';
import type { AppendRequest, Entry, RaftMessage } from '../../../src/raft/index.ts';
import { asIndex, QuorateError } from '../../../src/shared/index.ts';
import { entry } from '../../support/raft-fixtures.ts';
import { append } from '../../support/raft-messages.ts';

interface Place {
  /** Indexes of the entries that the disk has. */
  readonly onDisk: readonly number[];
  readonly inCache: readonly number[];
  readonly read?: () => Promise<readonly Entry[]>;
}

/** A filler above some entries of term 1, and all that it says. */
class Rig {
  readonly sent: string[] = [];
  readonly errors: unknown[] = [];
  reads = 0;
  isCurrent = true;
  readonly filler: AppendFiller;

  constructor({ onDisk, inCache, read }: Place) {
    const cache = new EntryCache(1_000_000);
    cache.put(inCache.map((index) => entry(index, 1)));
    const disk = (from: number, to: number): readonly Entry[] =>
      onDisk.filter((index) => index >= from && index <= to).map((index) => entry(index, 1));
    this.filler = new AppendFiller({
      cache,
      log: {
        read: (from, to) => {
          this.reads++;
          return read === undefined ? Promise.resolve(disk(from, to)) : read();
        },
      },
      isCurrent: () => this.isCurrent,
      send: (message) => this.sent.push(textOf(message)),
      onFatal: (error) => this.errors.push(error),
    });
  }

  async send(first: number, last: number): Promise<void> {
    this.filler.send(ordered(first, last));
    await settled();
  }
}

/** As the core orders it: without its entries. */
const ordered = (first: number, last: number): AppendRequest => ({
  ...append({ from: 'a', to: 'b', term: 1 }, { term: 1, index: first - 1 }, []),
  lastIndex: asIndex(last),
});

const textOf = (message: RaftMessage): string => {
  if (message.kind !== 'appendRequest') return message.kind;
  const { previousIndex, lastIndex, entries } = message;
  return `${previousIndex}..${lastIndex}: ${entries.map(({ index }) => index).join(' ')}`;
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('AppendFiller', () => {
  it('AppendFiller takes entries from the cache at once', () => {
    const rig = new Rig({ onDisk: [], inCache: [3, 4] });
    rig.filler.send(ordered(3, 4));
    expect(rig.sent).to.deep.equal(['2..4: 3 4']);
  });

  it('AppendFiller joins what the disk has with what only the cache has yet', async () => {
    const rig = new Rig({ onDisk: [1, 2, 3], inCache: [4, 5] });
    await rig.send(2, 5);
    expect(rig.sent).to.deep.equal(['1..5: 2 3 4 5']);
  });

  it('AppendFiller sends what there is when the rest is neither written nor cached', async () => {
    const rig = new Rig({ onDisk: [1, 2, 3], inCache: [] });
    await rig.send(2, 5);
    expect(rig.sent).to.deep.equal(['1..3: 2 3']);
    expect(rig.reads, 'it asks no more than once in vain').to.equal(2);
  });

  it('AppendFiller drops a message for which there is nothing, and goes on with the next', async () => {
    const rig = new Rig({ onDisk: [1], inCache: [] });
    await rig.send(5, 6);
    await rig.send(1, 1);
    expect(rig.sent).to.deep.equal(['0..1: 1']);
    expect(rig.errors).to.deep.equal([]);
  });

  it('AppendFiller sends nothing that it read when this node leads no more', async () => {
    const rig = new Rig({ onDisk: [1, 2], inCache: [] });
    rig.filler.send(ordered(1, 2));
    rig.isCurrent = false;
    await settled();
    expect(rig.sent).to.deep.equal([]);
  });

  it('AppendFiller takes entries that were cut away for a loss, other failures for the end', async () => {
    const failWith = (code: 'NOT_FOUND' | 'STORAGE_FAILED') => () =>
      Promise.reject(new QuorateError(code, 'Cannot read'));
    const cut = new Rig({ onDisk: [], inCache: [], read: failWith('NOT_FOUND') });
    await cut.send(1, 2);
    expect(cut.errors).to.deep.equal([]);
    const broken = new Rig({ onDisk: [], inCache: [], read: failWith('STORAGE_FAILED') });
    await broken.send(1, 2);
    expect(broken.errors).to.have.length(1);
  });
});
