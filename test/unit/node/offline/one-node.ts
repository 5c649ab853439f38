import { asTerm } from '../../../../src/shared/index.ts';
import { createLog, openStateEngine, stateDirectory } from '../../../../src/storage/index.ts';
import {
  configurationEntry,
  emptyBase,
  entries,
  identity,
  silentLogger,
  smallSettings,
} from '../../../contract/log-store-support.ts';
import { Machine } from '../../../support/machine.ts';
import { writeSmallFile } from '../../../../src/node/cluster/small-file.ts';

export const dataDir = '/data';
export const lastIndex = 6;
const nothing = (): void => undefined;

export const placeOf = ({ files }: Machine) => ({
  files,
  directory: `${dataDir}/log`,
  settings: smallSettings,
  logger: silentLogger,
});

export const condemnation = 'a row could not be read';

/** The data of n1, which lost both others and was condemned when it ran; its state is empty. */
export async function machineWithData(): Promise<Machine> {
  const machine = new Machine();
  const { files, kvFactory } = machine;
  await files.makeDirectory(dataDir);
  await files.makeDirectory(`${dataDir}/snapshots`);
  for (const directory of ['/', dataDir]) await files.syncDirectory(directory);
  const engine = await openStateEngine({
    kvFactory,
    directory: stateDirectory(dataDir, 1),
    onFailure: nothing,
  });
  await engine.close();
  const hardState = { term: asTerm(3), vote: null };
  const log = await createLog({
    ...placeOf(machine),
    ...{ identity, base: emptyBase, generation: 1, hardState },
  });
  const written = [configurationEntry(1, 1, 'n1', 'n2', 'n3'), ...entries(2, lastIndex, 3)];
  await log.write({ sequence: 1, entries: written });
  await log.close();
  await writeSmallFile(files, dataDir, { name: 'condemned', text: condemnation });
  return machine;
}
