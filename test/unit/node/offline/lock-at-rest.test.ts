import { expect } from 'chai';

import { DataDirectory } from '../../../../src/node/cluster/data-directory.ts';
import { recover, showLog, verifyData } from '../../../../src/node/offline/index.ts';
import type { OfflineInit } from '../../../../src/node/offline/data-at-rest.ts';
import { codeOf, seededRandom } from '../../../../src/shared/index.ts';
import type { Files } from '../../../../src/storage/index.ts';
import { silentLogger, smallSettings } from '../../../contract/log-store-support.ts';
import type { Machine } from '../../../support/machine.ts';
import { dataDir, machineWithData } from './one-node.ts';
import { addDirectory } from './support.ts';

const nothing = (): void => undefined;

const initOn = ({ kvFactory }: Machine, files: Files): OfflineInit => ({
  ...{ files, kvFactory, readOnlyKvFactory: kvFactory, logSettings: smallSettings },
  random: seededRandom(1),
  ...{ writeOut: nothing, writeError: nothing },
});

const recoverIn = (init: OfflineInit, isConfirmed: boolean): Promise<number> =>
  recover(init, { dataDirs: [dataDir], isConfirmed, wallMs: 1_700_000_000_000 });

/** What a supervisor that starts the daemon now gets. */
async function startOn({ files, kvFactory }: Machine): Promise<string> {
  const init = { files, kvFactory, path: dataDir, logSettings: smallSettings };
  try {
    const directory = await DataDirectory.open({ ...init, logger: silentLogger });
    await (await directory.openLog())?.close();
    await directory.close();
    return 'started';
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
}

/** The disk as a tool sees it whose every change is preceded by a start of the daemon. */
function disturbed(machine: Machine, onStart: (found: string) => void): Files {
  const { files } = machine;
  const start = async (): Promise<void> => onStart(await startOn(machine));
  return {
    open: (path, mode) => start().then(() => files.open(path, mode)),
    rename: (from, to) => start().then(() => files.rename(from, to)),
    remove: (path) => start().then(() => files.remove(path)),
    makeDirectory: (path) => start().then(() => files.makeDirectory(path)),
    truncate: (path, size) => start().then(() => files.truncate(path, size)),
    list: (path) => files.list(path),
    syncDirectory: (path) => files.syncDirectory(path),
    sizeOf: (path) => files.sizeOf(path),
    freeBytes: (path) => files.freeBytes(path),
  };
}

const locksIn = async ({ kvFactory }: Machine): Promise<readonly string[]> =>
  (await kvFactory.list(dataDir)).filter((name) => name === 'lock');

describe('the data lock of a directory that came without one', () => {
  it('recover() with --yes keeps a daemon out at each of its steps, and gets done', async () => {
    const machine = await machineWithData();
    const found = new Set<string>();
    const files = disturbed(machine, (one) => found.add(one));
    expect(await recoverIn(initOn(machine, files), true)).to.equal(0);
    expect([...found]).to.deep.equal(['DATA_DIRECTORY_LOCKED']);
    expect(await startOn(machine)).to.equal('started');
  });

  it('recover() keeps a daemon out while it finishes what was interrupted', async () => {
    const machine = await machineWithData();
    await machine.files.rename(`${dataDir}/log`, `${dataDir}/log.recovered`);
    const found = new Set<string>();
    const files = disturbed(machine, (one) => found.add(one));
    expect(await recoverIn(initOn(machine, files), false)).to.equal(0);
    expect([...found]).to.deep.equal(['DATA_DIRECTORY_LOCKED']);
  });

  it('recover() with --yes compares with a copy that nobody can write to', async () => {
    const machine = await machineWithData();
    const copy = '/copy';
    await addDirectory(machine, { path: copy, term: 2, lastIndex: 3 });
    const orRefused = <T>(path: string, call: () => Promise<T>): Promise<T> =>
      path.startsWith(copy)
        ? Promise.reject(Object.assign(new Error(`EROFS: ${path}`), { code: 'EROFS' }))
        : call();
    const { kvFactory } = machine;
    const files = disturbed(machine, nothing);
    const readOnly: OfflineInit = {
      ...initOn(machine, {
        ...files,
        makeDirectory: (path) => orRefused(path, () => files.makeDirectory(path)),
      }),
      kvFactory: {
        open: (path) => orRefused(path, () => kvFactory.open(path)),
        list: (path) => kvFactory.list(path),
        remove: (path) => kvFactory.remove(path),
      },
    };
    const options = { dataDirs: [copy, dataDir], isConfirmed: true, wallMs: 1_700_000_000_000 };
    expect(await recover(readOnly, options)).to.equal(0);
    expect(await locksIn(machine)).to.deep.equal(['lock']);
  });

  const looks: readonly (readonly [string, (init: OfflineInit) => Promise<number>])[] = [
    ['recover() without --yes', (init) => recoverIn(init, false)],
    ['log verify', (init) => verifyData(init, dataDir)],
    ['log inspect', (init) => showLog(init, { dataDir, json: false, from: null, to: null })],
  ];
  for (const [title, look] of looks) {
    it(`${title} leaves no lock behind`, async () => {
      const machine = await machineWithData();
      await look(initOn(machine, machine.files));
      expect(await locksIn(machine)).to.deep.equal([]);
    });
  }
});
