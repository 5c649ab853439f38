import { expect } from 'chai';

import type { DataDirectory } from '../../../src/node/cluster/data-directory.ts';
import type { ClusterWitness } from '../../../src/node/cluster/rebuilding.ts';
import { rebuild } from '../../../src/node/cluster/rebuilding.ts';
import { QuorateError } from '../../../src/shared/index.ts';
import { configurationOf, identity } from '../../contract/log-store-support.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { LinesLogger } from './support.ts';

const damage = new QuorateError('STORAGE_DAMAGED', 'Cannot trust the log');

interface Case {
  /** Voters that the readable part names; null: nothing is readable. */
  readonly voters: readonly string[] | null;
  readonly join?: readonly string[];
  readonly witness?: ClusterWitness;
}

/** `aside` with whom to ask, or why the data stays. */
async function outcomeOf({ voters, join = [], witness }: Case): Promise<string> {
  const configuration = configurationOf(...(voters ?? []));
  const recovered = { identity, base: { configuration: { configuration } }, configurations: [] };
  let result = 'nothing happened';
  const directory = {
    inspectLog: () => Promise.resolve(voters === null ? null : { recovered }),
    setAside: (_time: string, addresses: readonly string[]) => {
      result = `aside, asks ${addresses.join(' ')}`;
      return Promise.resolve('/data/damaged');
    },
  } as unknown as DataDirectory;
  const init = {
    ...{ directory, nodeId: 'n1', joinAddresses: join, clock: new VirtualClock() },
    logger: new LinesLogger(),
    ask: () =>
      witness === undefined ? Promise.reject(new Error('it is silent')) : Promise.resolve(witness),
    isStopped: () => true,
  };
  await rebuild(init, damage).catch((error: unknown) => (result = (error as Error).message));
  return result;
}

const alive: ClusterWitness = { incarnation: identity.incarnation, hasQuorum: true };

describe('rebuild', () => {
  it('sets the data aside once a majority without this node answers', async () => {
    const voters = ['n1', 'n2', 'n3'];
    expect(await outcomeOf({ voters, witness: alive })).to.equal('aside, asks n2:2 n3:2');
    const none = { incarnation: null, hasQuorum: true };
    expect(await outcomeOf({ voters: null, join: ['x:1'], witness: none })).to.contain('aside');
  });

  it('leaves the data when nobody proves that the cluster goes on', async () => {
    const voters = ['n1', 'n2', 'n3'];
    expect(await outcomeOf({ voters })).to.contain('no majority of the others could be asked');
    const leaderless = { ...alive, hasQuorum: false };
    expect(await outcomeOf({ voters, witness: leaderless })).to.contain('knows no leader');
  });

  it('leaves the data when the cluster there has another incarnation, or none, of this node', async () => {
    for (const incarnation of ['bb02', null]) {
      const witness = { incarnation, hasQuorum: true };
      expect(await outcomeOf({ voters: ['n1', 'n2', 'n3'], witness })).to.contain(
        'in place of incarnation aa01',
      );
    }
  });

  it('leaves the data of an only voter, of one of two, and what says nothing of others', async () => {
    expect(await outcomeOf({ voters: ['n1'] })).to.contain('it was the only voter');
    expect(await outcomeOf({ voters: ['n1', 'n2'] })).to.contain('the other 1 of 2 voters');
    expect(await outcomeOf({ voters: null })).to.contain('nothing in it says who');
  });

  it('believes those that --join names when damage hides that others came since', async () => {
    const found = await outcomeOf({ voters: ['n1'], join: ['x:1'], witness: alive });
    expect(found).to.equal('aside, asks x:1');
    expect(await outcomeOf({ voters: ['n1'], join: ['x:1'] })).to.contain('it was the only voter');
  });
});
