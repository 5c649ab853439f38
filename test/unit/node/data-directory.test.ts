import { expect } from 'chai';

import { DataDirectory } from '../../../src/node/cluster/data-directory.ts';
import { bootstrapConfiguration } from '../../../src/raft/index.ts';
import { asClusterId, codeOf, seededRandom } from '../../../src/shared/index.ts';
import { MemoryDisk, MemoryKvDisk } from '../../../src/storage/index.ts';
import type { FileOperation } from '../../../src/storage/index.ts';
import {
  configurationOf,
  identity,
  silentLogger,
  smallSettings,
} from '../../contract/log-store-support.ts';

const path = '/data';
const [member] = configurationOf('n1').members;
if (member === undefined) throw new Error('There is a member');
const configuration = bootstrapConfiguration(member);

/** A machine with a data directory; it can lose its power at any operation on files. */
class Machine {
  readonly kv = new MemoryKvDisk();
  kvFactory = this.kv.mount();
  operations = 0;
  stopAt = Infinity;
  #onStop: () => void = () => undefined;
  readonly disk = new MemoryDisk({
    complete: (_: FileOperation, finish: () => void) => {
      if (++this.operations >= this.stopAt) this.#onStop();
      else queueMicrotask(finish);
    },
  });

  files = this.disk.mount();

  open(): Promise<DataDirectory> {
    const { kvFactory, files } = this;
    return DataDirectory.open({
      ...{ files, kvFactory, path, logSettings: smallSettings, logger: silentLogger },
    });
  }

  /** A directory with log, state and snapshots, all closed. */
  async filled(): Promise<DataDirectory> {
    const directory = await this.open();
    await (await directory.createLog(identity, configuration)).close();
    await (await this.kvFactory.open(`${path}/state-1`)).close();
    await this.files.makeDirectory(`${path}/snapshots`);
    return directory;
  }

  /** Runs `work` until the power goes at operation `stopAt`; true when it came to its end. */
  async until(stopAt: number, work: () => Promise<unknown>): Promise<boolean> {
    this.operations = 0;
    this.stopAt = stopAt;
    const stopped = new Promise<boolean>((resolve) => (this.#onStop = () => resolve(false)));
    const done = await Promise.race([work().then(() => true), stopped]);
    this.stopAt = Infinity;
    this.disk.crash(seededRandom(stopAt));
    this.kv.crash(seededRandom(stopAt));
    this.kvFactory = this.kv.mount();
    this.files = this.disk.mount();
    return done;
  }
}

const outcome = (action: Promise<unknown>): Promise<unknown> =>
  action.then(
    (value) => (value === null ? 'blank' : 'log'),
    (error: unknown) => codeOf(error) ?? String(error),
  );

/** What openLog() finds after the power went at each of the operations of `action`. */
async function foundAfterCrashes(
  action: 'setAside' | 'wipe',
  condemnation: string | null,
): Promise<readonly unknown[]> {
  const seen = new Set<unknown>();
  for (let stopAt = 1; stopAt < 200; stopAt++) {
    const machine = new Machine();
    const directory = await machine.filled();
    if (condemnation !== null) await directory.condemn(condemnation);
    const run = (): Promise<unknown> =>
      action === 'wipe' ? directory.wipe() : directory.setAside('t1', ['a:1']);
    const done = await machine.until(stopAt, run);
    seen.add(await foundIn(machine, stopAt));
    if (done) break;
  }
  return [...seen];
}

async function foundIn(machine: Machine, stopAt: number): Promise<unknown> {
  const directory = await machine.open();
  const found = await outcome(directory.openLog());
  const isRejoining = (await directory.rejoining()) !== null;
  const isThere = (await machine.files.list(`${path}/log`)) !== null;
  if (isThere) return found;
  expect([found, isRejoining], `operation ${stopAt}`).to.deep.equal(['blank', true]);
  await (await directory.createLog(identity, configuration)).close();
  expect(await outcome(directory.openLog()), `operation ${stopAt}`).to.equal('log');
  return found;
}

describe('DataDirectory', () => {
  it('openLog() is null for a new directory and refuses a state whose log is gone', async () => {
    const machine = new Machine();
    const directory = await machine.filled();
    expect(await outcome(directory.openLog())).to.equal('log');
    await machine.files.remove(`${path}/log`);
    expect(await outcome(directory.openLog())).to.equal('STORAGE_DAMAGED');
    expect(await outcome(new Machine().open().then((one) => one.openLog()))).to.equal('blank');
  });

  it('openLog() deletes what a recovery that was given up had copied, but not in place of a log', async () => {
    const machine = new Machine();
    const directory = await machine.filled();
    await machine.files.makeDirectory(`${path}/log.recovered`);
    expect(await outcome(directory.openLog())).to.equal('log');
    expect(await machine.files.list(`${path}/log.recovered`)).to.equal(null);
    await machine.files.rename(`${path}/log`, `${path}/log.recovered`);
    expect(await outcome(directory.openLog())).to.equal('STORAGE_DAMAGED');
    expect(await machine.files.list(`${path}/log.recovered`)).to.not.equal(null);
  });

  it('condemn() makes openLog() refuse data that looks whole, until it is set aside', async () => {
    const machine = new Machine();
    const directory = await machine.filled();
    await directory.condemn('its digest differs');
    const message = await directory.openLog().catch((error: unknown) => (error as Error).message);
    expect(message).to.equal('Cannot trust /data as data of this node: its digest differs');
    await directory.setAside('t1', ['a:1']);
    expect(await outcome(directory.openLog())).to.equal('blank');
  });

  it('fence() makes openLog() refuse the data, start after start, until it is set aside', async () => {
    const machine = new Machine();
    const directory = await machine.filled();
    const cluster = asClusterId(`${identity.clusterId}.7`);
    await directory.fence({ cluster, source: 'n2 at b:1' });
    for (let start = 0; start < 2; start++) {
      const message = await directory.openLog().catch((error: unknown) => (error as Error).message);
      expect(message).to.equal(
        'Cannot serve /data as data of this node: its cluster was recovered without it as c1.7 (n2 at b:1 is of that); ' +
          'move /data away and start this node again with --join to a node of that cluster',
      );
    }
    await directory.setAside('t1', ['a:1']);
    expect(await outcome(directory.openLog())).to.equal('blank');
  });

  it('openLog() takes data that was recovered itself since it was fenced', async () => {
    const machine = new Machine();
    const directory = await machine.open();
    await directory.fence({ cluster: asClusterId('c1.7'), source: 'n2 at b:1' });
    const recovered = { ...identity, clusterId: asClusterId('c1.8') };
    await (await directory.createLog(recovered, configuration)).close();
    expect(await outcome(directory.openLog())).to.equal('log');
    expect(await machine.files.list(path)).to.not.include('fenced');
  });

  it('setAside() keeps the newest damaged data and remembers whom to ask', async () => {
    const machine = new Machine();
    const directory = await machine.filled();
    expect(await directory.rejoining()).to.equal(null);
    expect(await directory.setAside('t1', ['a:1', 'b:1'])).to.equal('/data/damaged-t1');
    expect(await directory.rejoining()).to.deep.equal(['a:1', 'b:1']);
    expect(await machine.files.list('/data/damaged-t1')).to.deep.equal(['log', 'snapshots']);
    await (await directory.createLog(identity, configuration)).close();
    expect(await directory.rejoining()).to.equal(null);
    await directory.setAside('t2', []);
    const names = (await machine.files.list(path)) ?? [];
    expect(names.filter((name) => name.startsWith('damaged'))).to.deep.equal(['damaged-t2']);
  });

  for (const action of ['setAside', 'wipe'] as const) {
    it(`${action}() leaves a node with all of its log or a blank one that does not bootstrap`, async () => {
      expect(await foundAfterCrashes(action, null)).to.have.members(['log', 'blank']);
    });

    it(`${action}() of condemned data leaves all of it or a blank node that does not bootstrap`, async () => {
      const found = await foundAfterCrashes(action, 'its digest differs');
      expect(found).to.have.members(['STORAGE_DAMAGED', 'blank']);
    });
  }
});
