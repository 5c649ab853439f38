import { expect } from 'chai';
import { loaderFlags } from '../../../src/runner/runner-process.ts';

describe('loaderFlags()', () => {
  it('keeps loaders with their values and drops programs and debuggers', () => {
    const given = [
      '--import',
      'tsx',
      '--inspect=0',
      '--require=a.cjs',
      '-r',
      'b.cjs',
      '-e',
      'fork()',
    ];
    const kept = ['--import', 'tsx', '--require=a.cjs', '-r', 'b.cjs'];
    expect(loaderFlags(given)).to.deep.equal(kept);
  });
});
