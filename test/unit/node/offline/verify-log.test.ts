import { expect } from 'chai';

import { verifyData } from '../../../../src/node/offline/index.ts';
import { asIndex, seededRandom } from '../../../../src/shared/index.ts';
import { createLog, openStateEngine, stateDirectory } from '../../../../src/storage/index.ts';
import type { RowWrite } from '../../../../src/store/index.ts';
import {
  emptyBase,
  entries,
  identity,
  silentLogger,
  smallSettings,
} from '../../../contract/log-store-support.ts';
import { Machine } from '../../../support/machine.ts';
import { put, Store } from '../../store/harness.ts';

const dataDir = '/data';

describe('log verify', () => {
  let disks: Machine;

  let store: Store;
  let rows: readonly RowWrite[];

  beforeEach(() => {
    disks = new Machine();
    store = new Store();
    store.must(put('a', 'x'));
    store.must(put('b', 'y'));
    rows = [...store.rows.values()];
  });

  /** A data directory with this state after entry 2, of two puts. */
  async function fill(writes: readonly RowWrite[]): Promise<void> {
    const { files, kvFactory } = disks;
    await files.makeDirectory(dataDir);
    await files.makeDirectory(`${dataDir}/snapshots`);
    for (const directory of ['/', dataDir]) await files.syncDirectory(directory);
    const directory = stateDirectory(dataDir, 1);
    const engine = await openStateEngine({ kvFactory, directory, onFailure: () => undefined });
    engine.enqueue(asIndex(2), writes, store.machine.digest());
    await engine.close();
    const place = { files, directory: `${dataDir}/log`, settings: smallSettings };
    const init = { ...place, identity, base: emptyBase, generation: 1, logger: silentLogger };
    const log = await createLog(init);
    await log.write({ sequence: 1, entries: entries(1, 2, 1) });
    await log.close();
  }

  async function verify(): Promise<string> {
    const { files, kvFactory } = disks;
    const said: string[] = [];
    await verifyData(
      {
        ...{ files, kvFactory, readOnlyKvFactory: kvFactory, logSettings: smallSettings },
        random: seededRandom(1),
        ...{ writeOut: (text) => said.push(text), writeError: () => undefined },
      },
      dataDir,
    );
    return said.join('');
  }

  it('finds nothing wrong in a state whose keys have their values', async () => {
    await fill(rows);
    expect(await verify()).to.include('Nothing is wrong');
  });

  it('names a key whose value row is missing', async () => {
    await fill(rows.filter(({ row }) => row[0] !== 3));
    const found = 'the row with the value of key a is missing, and 1 more';
    expect(await verify()).to.include(`1. state-1: ${found}`);
  });

  it('says that rows are missing whose absence no other row shows', async () => {
    await fill(rows.filter(({ row }) => !(row[0] === 2 && row.at(-1) === 0x62)));
    expect(await verify()).to.include(
      '1. state-1: the rows are whole, but not all that were written',
    );
  });
});
