import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';

import { expect } from 'chai';

import { takeDataLock } from '../../../src/node/data-lock.ts';
import { codeOf } from '../../../src/shared/index.ts';
import { nodeFiles, rocksKvFactory } from '../../../src/storage/index.ts';

/** Opens the database in argv[1], says so, and holds it until it is killed. */
const HOLDER = `
  const database = require('rocksdb')(process.argv[1]);
  database.open({}, (error) => process.stdout.write(error ? String(error) : 'open'));
  setInterval(() => undefined, 60_000);
`;

describe('takeDataLock', () => {
  const system = { files: nodeFiles(), kvFactory: rocksKvFactory() };
  let root: string;
  let directory: string;

  beforeEach(async () => {
    root = fs.mkdtempSync(`${tmpdir()}/quorate-lock-`);
    directory = `${root}/lock`;
    await (await takeDataLock(system, root)).close();
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  function damage(name: RegExp, how: (path: string) => void): void {
    const names = fs.readdirSync(directory).filter((one) => name.test(one));
    expect(names).to.not.be.empty;
    for (const one of names) how(`${directory}/${one}`);
  }

  const kinds: readonly [string, () => void][] = [
    ['CURRENT is gone', () => damage(/^CURRENT$/, (path) => fs.rmSync(path))],
    ['CURRENT is empty', () => damage(/^CURRENT$/, (path) => fs.truncateSync(path))],
    ['the manifest is gone', () => damage(/^MANIFEST/, (path) => fs.rmSync(path))],
    ['the manifest is garbage', () => damage(/^MANIFEST/, (path) => fs.writeFileSync(path, 'no'))],
  ];
  for (const [what, harm] of kinds) {
    it(`takes a lock of which ${what}, and takes it again`, async () => {
      harm();
      await (await takeDataLock(system, root)).close();
      await (await takeDataLock(system, root)).close();
    });
  }

  it('keeps out a second process even when the database of the first was damaged', async () => {
    const holder = spawn(process.execPath, ['-e', HOLDER, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    expect(said.toString()).to.equal('open');
    try {
      damage(/^CURRENT$/, (path) => fs.rmSync(path));
      for (const attempt of ['first', 'second']) {
        const error = await takeDataLock(system, root).catch((failure: unknown) => failure);
        expect(codeOf(error), attempt).to.equal('DATA_DIRECTORY_LOCKED');
      }
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    await (await takeDataLock(system, root)).close();
  });
});
