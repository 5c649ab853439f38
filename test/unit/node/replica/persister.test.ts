import { expect } from 'chai';
import fc from 'fast-check';
import { mergeBatches, Persister } from '../../../../src/node/replica/persister.ts';
import type { Entry, HardState, PersistBatch, RaftMessage } from '../../../../src/raft/index.ts';
import { asTerm } from '../../../../src/shared/index.ts';
import { entry, peer } from '../../../support/raft-fixtures.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { deferred, stateOf } from '../support.ts';

/** What a log holds after a batch: the first rule of LogStore.write. */
function written(log: readonly Entry[], batch: PersistBatch): Entry[] {
  const first = batch.entries[0]?.index ?? Infinity;
  return [...log.filter(({ index }) => index < first), ...batch.entries];
}

/** Batches as a core hands them out: each begins at or before the end of what came before. */
const batches = fc
  .array(
    fc.record({
      back: fc.nat(6),
      count: fc.nat(5),
      term: fc.option(fc.nat(9), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((shapes) => {
    let last = 10;
    return shapes.map(({ back, count, term }, position): PersistBatch => {
      const first = Math.max(1, last + 1 - back);
      const entries = Array.from({ length: count }, (_, i) => entry(first + i, position + 1));
      if (count > 0) last = first + count - 1;
      const hardState = term === undefined ? {} : { hardState: { term: asTerm(term), vote: null } };
      return { sequence: position + 1, entries, ...hardState };
    });
  });

describe('mergeBatches', () => {
  it('mergeBatches has the effect of all batches in order', () => {
    fc.assert(
      fc.property(batches, (all) => {
        const log = Array.from({ length: 10 }, (_, i) => entry(i + 1, 0));
        const merged = mergeBatches(all);
        expect(written(log, merged)).to.deep.equal(all.reduce(written, log));
        expect(merged.sequence).to.equal(all.at(-1)?.sequence);
        const hardStates = all.flatMap((batch): HardState[] =>
          batch.hardState ? [batch.hardState] : [],
        );
        expect(merged.hardState).to.deep.equal(hardStates.at(-1));
      }),
    );
  });

  it('mergeBatches changes none of the batches it is given', () => {
    const first: PersistBatch = { sequence: 1, entries: [entry(1, 1), entry(2, 1)] };
    const second: PersistBatch = { sequence: 2, entries: [entry(2, 2)] };
    mergeBatches([first, second]);
    expect(first.entries).to.have.length(2);
    expect(second.entries).to.have.length(1);
  });
});

describe('Persister', () => {
  let writes: { batch: PersistBatch; done: ReturnType<typeof deferred<undefined>> }[];
  let seen: string[];
  let clock: VirtualClock;
  let persister: Persister;
  const batch = (sequence: number, ...entries: Entry[]): PersistBatch => ({ sequence, entries });
  const message = (term: number): RaftMessage => ({
    kind: 'timeoutNow',
    from: peer('a'),
    to: peer('b'),
    term: asTerm(term),
  });
  const finish = async (position: number): Promise<void> => {
    writes[position]?.done.resolve(undefined);
    await clock.advance(0);
  };

  beforeEach(() => {
    writes = [];
    seen = [];
    clock = new VirtualClock();
    persister = new Persister({
      log: {
        write: (one: PersistBatch) => {
          const done = deferred<undefined>();
          writes.push({ batch: one, done });
          return done.promise;
        },
      } as never,
      clock,
      onPersisted: (sequence) => seen.push(`persisted ${sequence}`),
      onReleased: () => undefined,
      onIdle: () => seen.push('idle'),
      onWritten: (ms, bytes) => seen.push(`wrote ${bytes} bytes in ${ms} ms`),
      send: (messages) => seen.push(...messages.map(({ term }) => `sent ${term}`)),
      onFatal: (error) => seen.push(`fatal ${String(error)}`),
    });
  });

  it('Persister has one write in flight; what comes meanwhile shares the next', async () => {
    persister.persist(batch(1, entry(1, 1, 'four')));
    persister.persist(batch(2, entry(2, 1)));
    persister.persist(batch(3, entry(3, 1)));
    expect(writes).to.have.length(1);
    expect(persister.isWriting).to.equal(true);
    await clock.advance(5);
    expect(persister.oldestWriteAgeMs).to.equal(5);
    await finish(0);
    expect(writes.map((one) => one.batch.sequence)).to.deep.equal([1, 3]);
    expect(writes[1]?.batch.entries.map(({ index }) => index)).to.deep.equal([2, 3]);
    expect(seen).to.deep.equal(['wrote 4 bytes in 5 ms', 'persisted 1']);
    await finish(1);
    expect(seen.slice(2)).to.deep.equal(['wrote 6 bytes in 0 ms', 'persisted 3', 'idle']);
    expect(persister.isWriting).to.equal(false);
    expect(persister.oldestWriteAgeMs).to.equal(0);
  });

  it('Persister lets messages go only after the batch they rest on, and in order', async () => {
    persister.sendAfter(0, [message(1)]);
    persister.persist(batch(1));
    persister.sendAfter(1, [message(2)]);
    persister.persist(batch(2));
    persister.sendAfter(2, [message(3)]);
    persister.sendAfter(1, [message(4)]);
    persister.sendAfter(2, []);
    const sent = (): string[] => seen.filter((line) => line.startsWith('sent'));
    expect(sent()).to.deep.equal(['sent 1']);
    await finish(0);
    expect(sent()).to.deep.equal(['sent 1', 'sent 2']);
    await finish(1);
    expect(sent()).to.deep.equal(['sent 1', 'sent 2', 'sent 3', 'sent 4']);
  });

  it('Persister keeps a bounded number of messages for a disk that hangs, the oldest ones', async () => {
    persister.persist(batch(1));
    for (let term = 1; term <= 20_000; term++) persister.sendAfter(1, [message(term)]);
    await finish(0);
    const sent = seen.filter((line) => line.startsWith('sent'));
    expect(sent).to.have.length(16_384);
    expect(sent[0]).to.equal('sent 1');
  });

  it('Persister tells the core before the messages leave', async () => {
    persister.persist(batch(1));
    persister.sendAfter(1, [message(1)]);
    await finish(0);
    expect(seen.slice(1, 3)).to.deep.equal(['persisted 1', 'sent 1']);
  });

  it('Persister that pauses waits for what is there, and writes the rest when it resumes', async () => {
    persister.persist(batch(1));
    const paused = persister.pause();
    expect(await stateOf(paused)).to.equal('open');
    await finish(0);
    expect(await stateOf(paused)).to.equal(undefined);
    persister.persist(batch(2));
    expect(writes).to.have.length(1);
    persister.resume();
    expect(writes).to.have.length(2);
    await finish(1);
    await persister.pause();
    seen = [];
    persister.resume();
    expect(seen).to.deep.equal(['idle']);
  });

  it('Persister never tries a failed log again, sends nothing that rests on it and holds up no stop', async () => {
    persister.persist(batch(1));
    persister.sendAfter(1, [message(1)]);
    const paused = persister.pause();
    writes[0]?.done.reject(new Error('EIO'));
    await clock.advance(0);
    persister.persist(batch(2));
    expect(seen).to.deep.equal(['fatal Error: EIO']);
    expect(writes).to.have.length(1);
    expect(await stateOf(paused)).to.equal(undefined);
    expect(await stateOf(persister.pause())).to.equal(undefined);
  });
});
