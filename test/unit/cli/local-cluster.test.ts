import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { runLocalCluster } from '../../../src/cli/local-cluster.ts';
import { waitFor } from '../../support/e2e/index.ts';

const never = new Promise<unknown>(() => undefined);

describe('A local cluster in the foreground', () => {
  let root: string;
  let lines: string[];

  beforeEach(() => {
    root = mkdtempSync(`${tmpdir()}/quorate-local-`);
    lines = [];
  });

  afterEach(() => rmSync(root, { recursive: true }));

  /** Runs a node that is this shell script, until it ends for good or `stop` says so. */
  function runScript(script: string, { stop = never, awayMs = 1 } = {}): Promise<number> {
    const launch = ['sh', '-c', `cd ${root}; ${script}`];
    const write = (line: string): void => void lines.push(line);
    return runLocalCluster({ nodes: 1, root, extraFlags: [], launch, awayMs, write }, stop);
  }

  it('says which node ended by itself, and stops the others', async () => {
    expect(await runScript('exit 3')).to.equal(3);
    expect(lines.at(-1)).to.equal('node1 ended with 3: all nodes are stopped');
  });

  it('starts a node again that was killed', async () => {
    expect(await runScript('test -e was && exit 3; touch was; kill -KILL $$')).to.equal(3);
    expect(lines.slice(-2)).to.deep.equal([
      'node1 was ended by SIGKILL: the others go on, it comes back in 0.001 s',
      'node1 ended with 3: all nodes are stopped',
    ]);
  });

  it('stops while a node that was killed is away', async () => {
    const stop = waitFor('the node is away', () => lines.at(-1)?.includes('SIGKILL'));
    expect(await runScript('kill -KILL $$', { stop, awayMs: 3_600_000 })).to.equal(0);
  });

  it('starts a node again that has to come back as a new incarnation, three times', async () => {
    expect(await runScript('echo start >> starts; exit 75')).to.equal(75);
    expect(readFileSync(`${root}/starts`, 'utf8')).to.equal('start\n'.repeat(4));
  });
});
