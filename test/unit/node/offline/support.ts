import { recover } from '../../../../src/node/offline/index.ts';
import { asClusterId, asNodeId, asTerm, seededRandom, utf8 } from '../../../../src/shared/index.ts';
import {
  createLog,
  inspectLog,
  stateDirectory,
  writeFully,
} from '../../../../src/storage/index.ts';
import {
  configurationEntry,
  emptyBase,
  entries,
  identity,
  silentLogger,
  smallSettings,
} from '../../../contract/log-store-support.ts';
import type { Machine } from '../../../support/machine.ts';

export interface Directory {
  readonly path: string;
  /** Of the last entry. */
  readonly term: number;
  /** The first entry is the configuration n1, n2, n3, of term 1 unless it is the only one. */
  readonly lastIndex: number;
  readonly node?: string;
  readonly cluster?: string;
  readonly harm?: 'log' | 'state';
}

/** The data of a node that does not run. */
export async function addDirectory(machine: Machine, directory: Directory): Promise<void> {
  const { files } = machine;
  const { path, term, lastIndex, node = 'n1', cluster = identity.clusterId } = directory;
  await files.makeDirectory(path);
  for (const one of ['/', path]) await files.syncDirectory(one);
  const log = await createLog({
    ...{ files, directory: `${path}/log`, settings: smallSettings, logger: silentLogger },
    ...{ base: emptyBase, generation: 1, hardState: { term: asTerm(term), vote: null } },
    identity: { ...identity, clusterId: asClusterId(cluster), nodeId: asNodeId(node) },
  });
  const first = configurationEntry(1, lastIndex === 1 ? term : 1, 'n1', 'n2', 'n3');
  for (const entry of [first, ...entries(2, lastIndex, term)]) {
    await log.write({ sequence: 1, entries: [entry] });
  }
  await log.close();
  if (directory.harm !== undefined) await harms[directory.harm](machine, path);
}

/** Each record begins a block. */
const blockBytes = 4096;

const harms = {
  /** One byte of the last record but one: what comes behind it shows that it was whole. */
  log: async ({ files }: Machine, path: string): Promise<void> => {
    const inspection = await inspectLog({ files, directory: `${path}/log` });
    const segment = inspection?.segments[0];
    if (segment === undefined) throw new Error('There is a segment');
    await overwrite({ files }, segment.path, segment.usedBytes - 2 * blockBytes + 45);
  },
  state: async ({ kvFactory }: Machine, path: string): Promise<void> => {
    const kv = await kvFactory.open(stateDirectory(path, 1));
    await kv.batch([{ row: utf8('no row of ours'), value: utf8('nonsense') }], { sync: true });
    await kv.close();
  },
} as const;

async function overwrite(
  { files }: Pick<Machine, 'files'>,
  path: string,
  position: number,
): Promise<void> {
  const file = await files.open(path, 'plain');
  const [byte = 0] = await file.read(position, 1);
  await writeFully(file, position, Uint8Array.of(byte ^ 255));
  await file.sync();
  await file.close();
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** `quorate recover` on a machine; `seed` for what it draws. */
export async function recoverOn(
  { files, kvFactory }: Machine,
  options: { readonly dataDirs: readonly string[]; readonly isConfirmed: boolean },
  seed = 1,
): Promise<Ran> {
  let [out, error] = ['', ''];
  const code = await recover(
    {
      ...{ files, kvFactory, readOnlyKvFactory: kvFactory, logSettings: smallSettings },
      random: seededRandom(seed),
      writeOut: (text) => (out += text),
      writeError: (text) => (error += text),
    },
    { ...options, wallMs: 1_700_000_000_000 },
  );
  return { code, out, error };
}

/** The cluster whose log lies there now. */
export async function clusterIn({ files }: Machine, path: string): Promise<string | undefined> {
  const inspection = await inspectLog({ files, directory: `${path}/log` });
  return inspection?.recovered?.identity.clusterId;
}
