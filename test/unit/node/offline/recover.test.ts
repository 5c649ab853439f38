import { expect } from 'chai';

import { Machine } from '../../../support/machine.ts';
import { addDirectory, clusterIn, recoverOn } from './support.ts';

const a = '/a';

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
});
