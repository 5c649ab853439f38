import { expect } from 'chai';

import { encodeFence, fenceFile } from '../../../../src/node/cluster/fence.ts';
import { writeSmallFile } from '../../../../src/node/cluster/small-file.ts';
import { asClusterId } from '../../../../src/shared/index.ts';
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

  for (const [harm, why] of [
    ['log', /log-0+1.seg at byte \d+: .*checksum/],
    ['state', /state-1: /],
  ] as const) {
    it(`recover() does not pass over what is further ahead but unusable (${harm}): it says what would be lost`, async () => {
      const next = { path: b, node: 'n2', term: 3, lastIndex: 5 };
      const furthest = { path: a, term: 3, lastIndex: 9, harm };
      const { code, out, error } = await ask(next, furthest);
      const readable = harm === 'log' ? 7 : 9;
      expect(code).to.equal(1);
      expect(out)
        .to.match(/\* +\/a +n1 .*UNUSABLE/)
        .and.not.contain('Recovering from');
      expect(error)
        .to.match(/^Cannot recover from \/a, which is furthest ahead: /)
        .and.match(why);
      expect(error).to.contain(`It lacks entries 6 to ${readable} of /a`);
      expect(error).to.contain('name it alone: quorate recover --dataDir=/b');
      expect((await ask(next)).code).to.equal(2);
    });
  }

  it('recover() counts as lost what a log of a higher term has in place of other entries', async () => {
    const { error } = await ask(
      { path: a, term: 3, lastIndex: 4, harm: 'state' },
      { path: b, term: 2, lastIndex: 9 },
    );
    expect(error).to.contain('It lacks entries 2 to 4 of /a');
  });

  it('recover() takes a usable directory that is as far as an unusable one, and warns', async () => {
    const { code, out } = await ask(
      { path: a, term: 3, lastIndex: 5, harm: 'state' },
      { path: b, node: 'n2', term: 3, lastIndex: 5 },
    );
    expect(code).to.equal(2);
    expect(out).to.contain('Recovering from /b');
    expect(out).to.contain('WARNING: /a cannot be used: state-1: ');
  });

  it('recover() names every directory and what is wrong with it when none is usable', async () => {
    const failed = await ask(
      { path: a, term: 3, lastIndex: 5, harm: 'state' },
      { path: b, term: 3, lastIndex: 5, harm: 'log' },
    ).catch((error: unknown) => error);
    expect(failed).to.include({ code: 'STORAGE_DAMAGED' });
    expect((failed as Error).message).to.match(/\/a: state-1: .*; \/b: log/);
  });

  it('recover() of data that another recovery left behind makes a later lineage than that one, and warns', async () => {
    const machine = new Machine();
    await addDirectory(machine, { path: a, term: 3, lastIndex: 5 });
    const fence = { cluster: asClusterId('c1.1800000000.ab'), source: 'n2 at b:1' };
    await writeSmallFile(machine.files, a, { name: fenceFile, text: encodeFence(fence) });
    const { code, out } = await recoverOn(machine, { dataDirs: [a], isConfirmed: true });
    expect(code).to.equal(0);
    expect(out).to.contain('WARNING: /a was left behind by an earlier recovery: cluster c1.18000');
    expect(await clusterIn(machine, a)).to.match(/^c1\.1800000001\./);
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
