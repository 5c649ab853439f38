import { expect } from 'chai';

import type { ReplicaState } from '../../../../src/node/replica/index.ts';
import { openState } from '../../../../src/node/replica/state.ts';
import { asIndex, codeOf, seededRandom } from '../../../../src/shared/index.ts';
import { MemoryKvDisk, openStateEngine, stateDirectory } from '../../../../src/storage/index.ts';
import type { KvFactory } from '../../../../src/storage/index.ts';
import { decodeBatch, encodeBatch, encodeEnvelope } from '../../../../src/store/index.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { envelope, put } from '../../store/harness.ts';
import { damageWriteAheadLog, removePlaces, rocksPlace } from '../../storage-engine/support.ts';

const open = (kvFactory: KvFactory, dataDirectory: string): Promise<ReplicaState> =>
  openState({
    ...{ kvFactory, dataDirectory, generation: 1, clock: new VirtualClock() },
    onFailure: (error) => {
      throw error;
    },
  });

/** Puts a new key, in a batch of its own. */
async function putNext({ machine, engine }: ReplicaState): Promise<void> {
  const index = asIndex(machine.appliedIndex + 1);
  const command = envelope({ then: [put(`key${index}`, 'x'.repeat(2_000))] });
  const bytes = encodeBatch({ timeMs: 1_000_000, envelopes: [encodeEnvelope(command)] });
  const { writes } = machine.apply(index, decodeBatch(bytes), () => null);
  engine.enqueue(index, writes, machine.digest());
  await engine.flush();
}

async function fill(kvFactory: KvFactory, dataDirectory: string): Promise<void> {
  const state = await open(kvFactory, dataDirectory);
  for (let i = 0; i < 30; i++) await putNext(state);
  await state.engine.close();
}

async function expectRefused(kvFactory: KvFactory, dataDirectory: string): Promise<void> {
  for (let start = 0; start < 2; start++) {
    const opened: unknown = await open(kvFactory, dataDirectory).catch((error: unknown) => error);
    expect(codeOf(opened)).to.equal('STORAGE_DAMAGED');
    expect((opened as Error).message).to.match(
      /^Cannot use the state at index 30 .* its rows have/,
    );
  }
}

describe('openState', () => {
  after(removePlaces);

  it('takes what was written for whole', async () => {
    const kvFactory = new MemoryKvDisk().mount();
    await fill(kvFactory, '/data');
    const { machine, engine } = await open(kvFactory, '/data');
    expect([machine.appliedIndex, machine.keyCount]).to.deep.equal([30, 30]);
    expect(engine.openedDigest).to.equal(machine.digest());
  });

  it('calls a state damaged, at every start, when RocksDB lost a batch of it', async () => {
    const { factory, root } = await rocksPlace();
    await fill(factory, root);
    damageWriteAheadLog(stateDirectory(root, 1));
    await expectRefused(factory, root);
  });

  it('calls a state damaged, at every start, when any batch before the newest is lost', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = new MemoryKvDisk();
      await fill(disk.mount(), '/data');
      disk.kill(seededRandom(seed));
      expect(disk.loseBatch(seededRandom(seed))).to.equal('/data/state-1');
      await expectRefused(disk.mount(), '/data');
    }
  });

  it('takes a state that says no digest, and says it from the next entry on', async () => {
    const kvFactory = new MemoryKvDisk().mount();
    const directory = stateDirectory('/data', 1);
    const engine = await openStateEngine({ kvFactory, directory, onFailure: () => undefined });
    engine.enqueue(asIndex(4), []);
    await engine.close();
    const state = await open(kvFactory, '/data');
    expect([state.machine.appliedIndex, state.engine.openedDigest]).to.deep.equal([4, null]);
    await putNext(state);
    await state.engine.close();
    expect((await open(kvFactory, '/data')).engine.openedDigest).to.equal(state.machine.digest());
  });
});
