import { expect } from 'chai';
import { asClusterId, isLaterLineage, lineageOf, withLineage } from '../../../src/shared/index.ts';

const cluster = asClusterId;

describe('lineage', () => {
  it('withLineage() gives the number to lineageOf() and keeps the origin, time after time', () => {
    const first = withLineage(cluster('c1'), 7, 'ab');
    const second = withLineage(first, 9, 'cd');
    expect([first, second]).to.deep.equal(['c1.7.ab', 'c1.9.cd']);
    expect([cluster('c1'), first, second].map(lineageOf)).to.deep.equal([0, 7, 9]);
  });

  it('isLaterLineage() is for a higher number of the same origin only', () => {
    const own = cluster('c1.7.ab');
    const later = ['c1.8.00', 'c1.8', 'c1.10.ab'];
    const not = ['c1.7.ab', 'c1.7.ff', 'c1.6.ff', 'c1', 'c2.8.ab', 'c1.1e9', 'c1.9x', 'c1.9.z', ''];
    for (const one of later) expect(isLaterLineage(cluster(one), own), one).to.equal(true);
    for (const one of not) expect(isLaterLineage(cluster(one), own), one).to.equal(false);
    expect(isLaterLineage(cluster(`c1.${'9'.repeat(16)}`), own)).to.equal(false);
  });
});
