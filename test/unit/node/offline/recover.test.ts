import { expect } from 'chai';

import { Machine } from '../../../support/machine.ts';
import type { Directory, Ran } from './support.ts';
import { addDirectory, clusterIn, recoverOn } from './support.ts';

const [a, b] = ['/a', '/b'] as const;

describe('recover()', () => {
  it('recover() in one second on two machines makes two clusters of the same lineage', async () => {
    const clusters: (string | undefined)[] = [];
    for (const seed of [1, 2]) {
      const machine = new Machine();
      await addDirectory(machine, { path: a, term: 3, lastIndex: 5 });
      await recoverOn(machine, { dataDirs: [a], isConfirmed: true }, seed);
      clusters.push(await clusterIn(machine, a));
    }
    const [first, second] = clusters;
    expect(first).to.match(/^c1\.1700000000\.[0-9a-f]{8}$/);
    expect(second)
      .to.match(/^c1\.1700000000\.[0-9a-f]{8}$/)
      .and.not.equal(first);
  });

  /** Shows what `recover` would do with these. */
  async function ask(...directories: readonly Directory[]): Promise<Ran> {
    const machine = new Machine();
    for (const directory of directories) await addDirectory(machine, directory);
    const dataDirs = directories.map(({ path }) => path);
    return recoverOn(machine, { dataDirs, isConfirmed: false });
  }

  const choices: readonly (readonly [string, Directory, Directory])[] = [
    [
      'a higher last term, however much shorter the log',
      { path: a, node: 'n1', term: 3, lastIndex: 1 },
      { path: b, node: 'n2', term: 2, lastIndex: 9 },
    ],
    [
      'of equal last terms the longer log',
      { path: a, node: 'n1', term: 3, lastIndex: 9 },
      { path: b, node: 'n2', term: 3, lastIndex: 8 },
    ],
  ];
  for (const [title, better, worse] of choices) {
    it(`recover() takes ${title}, in whatever order they are named`, async () => {
      for (const named of [
        [better, worse],
        [worse, better],
      ]) {
        const { code, out } = await ask(...named);
        expect(code).to.equal(2);
        expect(out).to.contain(`Recovering from ${better.path}, as node ${better.node ?? ''}`);
        expect(out).to.contain(`all entries up to ${better.lastIndex}`);
      }
    });
  }

  it('recover() leaves out a damaged log and warns when it is further ahead', async () => {
    const { code, out } = await ask(
      { path: a, term: 3, lastIndex: 9, harm: 'log' },
      { path: b, node: 'n2', term: 2, lastIndex: 9 },
    );
    expect(code).to.equal(2);
    expect(out).to.contain('Recovering from /b');
    expect(out).to.match(/WARNING: \/a is further ahead but damaged: .*checksum/);
  });

  it('recover() refuses directories of two clusters, also of two lineages of one', async () => {
    for (const cluster of ['c2', 'c1.1700000000.ab']) {
      const failed = await ask(
        { path: a, term: 3, lastIndex: 9 },
        { path: b, term: 3, lastIndex: 9, cluster },
      ).catch((error: unknown) => error);
      expect(failed).to.include({
        code: 'CONFIG_INVALID',
        message: `Cannot recover from data of one cluster, c1: /b is of cluster ${cluster}`,
      });
    }
  });
});
