import { expect } from 'chai';

import { writeSmallFile } from '../../../../src/node/cluster/small-file.ts';
import { recover, verifyData } from '../../../../src/node/offline/index.ts';
import { seededRandom, utf8 } from '../../../../src/shared/index.ts';
import { stateDirectory } from '../../../../src/storage/index.ts';
import { smallSettings } from '../../../contract/log-store-support.ts';
import type { Machine } from '../../../support/machine.ts';
import { condemnation, dataDir, machineWithData } from './one-node.ts';

interface Ran {
  readonly code: number;
  readonly said: string;
}

type Init = Parameters<typeof recover>[0];

async function run(machine: Machine, tool: (init: Init) => Promise<number>): Promise<Ran> {
  const { files, kvFactory } = machine;
  let said = '';
  const write = (text: string): void => void (said += text);
  const code = await tool({
    ...{ files, kvFactory, readOnlyKvFactory: kvFactory, logSettings: smallSettings },
    ...{ random: seededRandom(1), writeOut: write, writeError: write },
  });
  return { code, said };
}

const recovers = (isConfirmed: boolean) => (init: Init) =>
  recover(init, { dataDirs: [dataDir], isConfirmed, wallMs: 1_700_000_000_000 });

const isCondemned = async ({ files }: Machine): Promise<boolean> =>
  (await files.sizeOf(`${dataDir}/condemned`)) !== null;

async function damageState({ kvFactory }: Machine): Promise<void> {
  const kv = await kvFactory.open(stateDirectory(dataDir, 1));
  const row = utf8('k/rotten');
  await kv.batch([{ row, value: utf8('nothing that was sealed') }], { sync: true });
  await kv.close();
}

describe('Data that its node condemned', () => {
  it('recover() goes on from it when nothing is wrong, says why it was condemned, and removes the note', async () => {
    const machine = await machineWithData();
    const shown = await run(machine, recovers(false));
    expect(shown.code).to.equal(2);
    expect(shown.said).to.contain(`n1 condemned this data while it ran: ${condemnation}`);
    expect(await isCondemned(machine)).to.equal(true);
    expect((await run(machine, recovers(true))).code).to.equal(0);
    expect(await isCondemned(machine)).to.equal(false);
  });

  it('recover() refuses it when something is wrong, and leaves the note', async () => {
    const machine = await machineWithData();
    await damageState(machine);
    const error = await run(machine, recovers(true)).catch((one: unknown) => one as Error);
    expect(error).to.have.property('code', 'STORAGE_DAMAGED');
    expect(error).to.have.property('message').that.contains('state-1: ');
    expect(error).to.have.property('message').that.contains('see quorate log verify');
    expect(await isCondemned(machine)).to.equal(true);
  });

  it('verifyData() says why, what recover would do, and that a log without a base makes the state anew', async () => {
    const machine = await machineWithData();
    const whole = await run(machine, (init) => verifyData(init, dataDir));
    expect(whole.said).to.contain(condemnation).and.contain('quorate recover goes on from this');
    expect(whole.said).to.contain('1 finding.').and.not.contain('moved away');
    await damageState(machine);
    const { code, said } = await run(machine, (init) => verifyData(init, dataDir));
    expect(code).to.equal(1);
    expect(said).to.contain('with state-1 moved away').and.contain('2 findings.');
  });

  it('verifyData() says when the cluster was recovered without it, and no more once it was recovered too', async () => {
    const machine = await machineWithData();
    const fence = (cluster: string) =>
      writeSmallFile(machine.files, dataDir, { name: 'fenced', text: `${cluster}\nn2 at h:1\n` });
    await fence('c1.1700000009.ab');
    const { code, said } = await run(machine, (init) => verifyData(init, dataDir));
    expect(code).to.equal(1);
    expect(said).to.contain('recovered without this data as c1.1700000009.ab, says n2 at h:1');
    await fence('c1');
    const { said: later } = await run(machine, (init) => verifyData(init, dataDir));
    expect(later).not.to.contain('fenced');
  });
});
