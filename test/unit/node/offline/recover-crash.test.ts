import { expect } from 'chai';

import { recover } from '../../../../src/node/offline/index.ts';
import { takeDataLock } from '../../../../src/node/data-lock.ts';
import { codeOf, seededRandom } from '../../../../src/shared/index.ts';
import { openLog } from '../../../../src/storage/index.ts';
import { contentOf, identity, smallSettings } from '../../../contract/log-store-support.ts';
import type { Machine } from '../../../support/machine.ts';
import { dataDir, lastIndex, machineWithData, placeOf } from './one-node.ts';

const wallMs = 1_700_000_000_000;
const nothing = (): void => undefined;

const recoverOn = ({ files, kvFactory }: Machine): Promise<number> =>
  recover(
    {
      ...{ files, kvFactory, readOnlyKvFactory: kvFactory, logSettings: smallSettings },
      random: seededRandom(1),
      ...{ writeOut: nothing, writeError: nothing },
    },
    { dataDirs: [dataDir], isConfirmed: true, wallMs },
  );

async function contentIn(machine: Machine): Promise<{ cluster: string; lines: string[] } | null> {
  const log = await openLog(placeOf(machine));
  if (log === null) return null;
  const lines = await contentOf(log, 1, log.recovered.lastIndex);
  await log.close();
  return { cluster: log.recovered.identity.clusterId, lines };
}

/** What must not lie beside a log of the new cluster. */
async function leftovers({ files }: Machine): Promise<readonly string[]> {
  const names = (await files.list(dataDir)) ?? [];
  return names.filter((name) => ['snapshots', 'log.recovered', 'condemned'].includes(name));
}

/** A node that is started without another `recover`: in the old cluster, in the new one, or not at all. */
async function checkAsFound(machine: Machine): Promise<void> {
  const found = await contentIn(machine);
  if (found === null || found.cluster === identity.clusterId) return;
  expect(found.lines.length).to.equal(lastIndex + 2);
  expect(await leftovers(machine)).to.deep.equal([]);
}

describe('recover() and crashes', () => {
  it('recover() finishes nothing in a directory that a daemon uses', async () => {
    const machine = await machineWithData();
    await machine.files.rename(`${dataDir}/log`, `${dataDir}/log.recovered`);
    const lock = await takeDataLock(machine, dataDir);
    const code = await recoverOn(machine).catch((error: unknown) => codeOf(error));
    expect(code).to.equal('DATA_DIRECTORY_LOCKED');
    expect(await contentIn(machine)).to.equal(null);
    await lock.close();
    expect(await recoverOn(machine)).to.equal(0);
    expect(await contentIn(machine)).to.not.equal(null);
  });

  it('recover() can be run again wherever the power went, and keeps every entry', async () => {
    const before = await contentIn(await machineWithData());
    let isDone = false;
    for (let operations = 0; !isDone; operations++) {
      const machine = await machineWithData();
      isDone = await machine.run(operations, () => recoverOn(machine));
      machine.restart(operations);
      await checkAsFound(machine);
      if (!isDone) expect(await recoverOn(machine), `after ${operations}`).to.equal(0);
      const after = await contentIn(machine);
      expect(after?.cluster).to.match(/^c1\.1700000\d+\.[0-9a-f]{8}$/);
      expect(after?.lines.slice(0, lastIndex)).to.deep.equal(before?.lines);
      // A second recovery of what was recovered to the end adds its own two.
      expect(after?.lines.length).to.be.oneOf([lastIndex + 2, lastIndex + 4]);
      expect(await leftovers(machine)).to.deep.equal([]);
    }
  });
});
