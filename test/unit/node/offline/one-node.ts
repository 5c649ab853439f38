import { openStateEngine, stateDirectory } from '../../../../src/storage/index.ts';
import { silentLogger, smallSettings } from '../../../contract/log-store-support.ts';
import { Machine } from '../../../support/machine.ts';
import { writeSmallFile } from '../../../../src/node/cluster/small-file.ts';
import { addDirectory } from './support.ts';

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
  await addDirectory(machine, { path: dataDir, term: 3, lastIndex });
  await files.makeDirectory(`${dataDir}/snapshots`);
  await files.syncDirectory(dataDir);
  const engine = await openStateEngine({
    kvFactory,
    directory: stateDirectory(dataDir, 1),
    onFailure: nothing,
  });
  await engine.close();
  await writeSmallFile(files, dataDir, { name: 'condemned', text: condemnation });
  return machine;
}
