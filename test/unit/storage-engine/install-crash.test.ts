import { expect } from 'chai';

import { asIndex, utf8 } from '../../../src/shared/index.ts';
import {
  installSnapshot,
  openSnapshot,
  openSnapshotReceiver,
  openStateEngine,
  removeOtherGenerations,
  spoolSnapshot,
} from '../../../src/storage/index.ts';
import type { SpoolableEngine } from '../../../src/storage/index.ts';
import { baseAt, clusterId } from '../../contract/snapshot-support.ts';
import { Machine } from '../../support/machine.ts';

const ROW_COUNT = 300;

async function openGeneration(machine: Machine, generation: number): Promise<SpoolableEngine> {
  return openStateEngine({
    kvFactory: machine.kvFactory,
    directory: `/data/state-${generation}`,
    onFailure: (error) => {
      throw error;
    },
  });
}

const writesOf = (value: string) =>
  Array.from({ length: ROW_COUNT }, (_, i) => ({
    row: utf8(`\u0001${i}`),
    value: utf8(`${value} ${i} `.repeat(20)),
  }));

async function fill(machine: Machine, generation: number, value: string): Promise<void> {
  const engine = await openGeneration(machine, generation);
  engine.enqueue(asIndex(generation === 0 ? 4 : 7), writesOf(value));
  await engine.close();
}

async function textsIn(engine: SpoolableEngine): Promise<Set<string>> {
  const texts = new Set<string>();
  await engine.load(
    (_, value) => texts.add(Buffer.from(value).toString().split(' ', 1)[0] ?? ''),
    [{}],
  );
  return texts;
}

/** A machine with state "old" in generation 0 and a snapshot of another state "new". */
async function machineWithSnapshot(): Promise<Machine> {
  const machine = new Machine();
  await machine.files.makeDirectory('/data');
  await machine.files.syncDirectory('/');
  await fill(machine, 0, 'old');
  await fill(machine, 77, 'new');
  const engine = await openGeneration(machine, 77);
  const { files } = machine;
  const what = { engine, files, directory: '/data/snapshots', clusterId, baseAt };
  await spoolSnapshot({ ...what, chunkBytes: 8192 });
  await engine.close();
  return machine;
}

const install = async ({ files, kvFactory }: Machine): Promise<void> => {
  const snapshot = await openSnapshot(files, '/data/snapshots/snapshot-7-3.qs');
  await installSnapshot({ snapshot, kvFactory, dataDirectory: '/data', generation: 1 });
  await snapshot.close();
};

async function checkOldState(machine: Machine): Promise<void> {
  const old = await openGeneration(machine, 0);
  expect(old.openedAtIndex).to.equal(4);
  expect(await textsIn(old)).to.deep.equal(new Set(['old']));
  await old.close();
}

describe('snapshots and crashes', () => {
  it('installSnapshot() leaves the old state whole wherever the power goes', async () => {
    for (let operations = 0, isDone = false; !isDone; operations += 3) {
      const machine = await machineWithSnapshot();
      isDone = await machine.run(operations, () => install(machine));
      machine.restart(operations);
      await checkOldState(machine);
      if (isDone) {
        const fresh = await openGeneration(machine, 1);
        expect(await textsIn(fresh)).to.deep.equal(new Set(['new']));
        expect(fresh.openedAtIndex).to.equal(7);
        await fresh.close();
      }
      await removeOtherGenerations({
        kvFactory: machine.kvFactory,
        dataDirectory: '/data',
        generation: 0,
      });
      expect(await machine.kvFactory.list('/data')).to.deep.equal(['state-0']);
    }
  });

  it('openStateEngine() takes a half installed directory for damaged, never for a state', async () => {
    const found = new Set<string>();
    for (let operations = 8, isDone = false; !isDone; operations += 7) {
      const machine = await machineWithSnapshot();
      isDone = await machine.run(operations, () => install(machine));
      machine.restart(operations);
      if (!(await machine.kvFactory.list('/data')).includes('state-1')) continue;
      const outcome = await openGeneration(machine, 1).then(
        ({ openedAtIndex }) => `index ${openedAtIndex}`,
        (error: unknown) => (error as { code: string }).code,
      );
      found.add(outcome);
    }
    // A directory from which everything was lost counts as new: index 0, so below the base.
    expect([...found].filter((outcome) => outcome !== 'index 0').sort()).to.deep.equal([
      'STORAGE_DAMAGED',
      'index 7',
    ]);
  });

  it('spoolSnapshot() leaves a whole file or none wherever the power goes', async () => {
    const spool = async ({ files, kvFactory }: Machine): Promise<void> => {
      const engine = await openStateEngine({
        kvFactory,
        directory: '/data/state-0',
        onFailure: () => undefined,
      });
      const what = { engine, files, directory: '/data/snapshots', clusterId, baseAt };
      await spoolSnapshot({ ...what, chunkBytes: 8192 });
      await engine.close();
    };
    for (let operations = 0, isDone = false; !isDone; operations += 3) {
      const machine = await machineWithSnapshot();
      isDone = await machine.run(operations, () => spool(machine));
      machine.restart(operations);
      const names = (await machine.files.list('/data/snapshots')) ?? [];
      const finished = names.filter((name) => name.endsWith('.qs'));
      expect(finished).to.include('snapshot-7-3.qs');
      if (isDone) expect(finished).to.include('snapshot-4-3.qs');
      for (const name of finished) {
        const snapshot = await openSnapshot(machine.files, `/data/snapshots/${name}`);
        for (let i = 0; i < snapshot.meta.chunkCount; i++) await snapshot.readChunk(i);
      }
    }
  });

  it('SnapshotReceiver finishes the same file after any number of power cuts', async () => {
    const machine = await machineWithSnapshot();
    const source = await openSnapshot(machine.files, '/data/snapshots/snapshot-7-3.qs');
    const chunks: Uint8Array[] = [];
    for (let i = 0; i < source.meta.chunkCount; i++) chunks.push(await source.readChunk(i));
    const { meta } = source;
    const receive = async (): Promise<void> => {
      const { files } = machine;
      const receiver = await openSnapshotReceiver({ files, directory: '/data/inbox', meta });
      while (!receiver.isComplete) {
        await receiver.accept(receiver.nextChunk, chunks[receiver.nextChunk] ?? new Uint8Array(0));
      }
      await receiver.finish();
    };
    let cuts = 0;
    for (let seed = 0; !(await machine.run(5 + seed, receive)); seed++) {
      machine.restart(seed);
      cuts++;
    }
    expect(cuts).to.be.above(3);
    machine.restart(1234);
    const copy = await openSnapshot(machine.files, '/data/inbox/snapshot-7-3.qs');
    expect(copy.meta).to.deep.equal(meta);
    for (const [i, chunk] of chunks.entries()) {
      expect(Buffer.compare(await copy.readChunk(i), chunk)).to.equal(0);
    }
  });
});
