import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import type { Cluster, Daemon, EventShown } from '../support/e2e/index.ts';
import {
  baselineIs,
  eventIs,
  mainFile,
  NotifyRuns,
  replaceFile,
  useWorkshop,
  waitFor,
  watchFlags,
  Writer,
} from '../support/e2e/index.ts';

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

function quorate(...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainFile(), ...args]);
  return { code: status, out: stdout.toString(), error: stderr.toString() };
}

describe('A cluster of three that lost two nodes for good', function () {
  this.timeout(180_000);
  const workshop = useWorkshop();
  let cluster: Cluster;
  let runs: NotifyRuns;
  const file = workshop.path('service.word');
  const say = (word: string): void => replaceFile(file, `${word}\n`);

  before(async function () {
    this.timeout(120_000);
    runs = new NotifyRuns(workshop.path('runs'));
    cluster = await workshop.started(3, { flags: watchFlags, env: runs.env });
  });
  after(() => cluster.kill());

  it('goes on from the one that is left: all keys, higher tokens, and a lost one fenced', async () => {
    const [left, wiped, late] = [cluster.node(1), cluster.node(2), cluster.node(3)];
    say('UP');
    await left.set('service', `file:${file}`);
    for (let i = 0; i < 20; i++) await left.set(`k${i}`, `v${i}`);
    await baselineIs(left, ['service'], 'UP');
    say('DOWN');
    const before = await eventIs(left, 'service', { to: 'DOWN', state: 'done' });
    // Such as the others' disks: one is gone, one comes back some day.
    await cluster.kill();
    wiped.wipe();

    const flag = `--dataDir=${left.dataDirectory}`;
    const shown = quorate('recover', flag);
    expect(shown.code).to.equal(2);
    expect(shown.out).to.contain('Nothing was changed').and.contain('NOT fenced');
    expect(shown.out).to.contain('No longer members: node2 (voter), node3 (voter)');
    const done = quorate('recover', flag, '--yes');
    expect(done, done.error).to.include({ code: 0 });
    expect(quorate('log', 'verify', flag).out).to.contain('Nothing is wrong');

    left.start();
    await waitFor('the node that is left serves alone', () => left.isReady());
    for (let i = 0; i < 20; i++) expect(await left.get(`k${i}`)).to.equal(`v${i}`);
    await left.set('after', 'recovery');
    await comesBackFenced();
    late.wipe();
    late.start();
    wiped.start();
    await cluster.settled();
    for (const node of cluster.nodes) expect(await node.get('after')).to.equal('recovery');

    say('UP');
    const after = await eventIs(wiped, 'service', { to: 'UP', state: 'done' });
    expect(after.token > before.token, `${after.token} above ${before.token}`).to.equal(true);
    expect(epochOf(after)).to.be.greaterThan(1_700_000_000).and.greaterThan(epochOf(before));

    async function comesBackFenced(): Promise<void> {
      late.start();
      const words = /the data of node3 is from before the cluster was recovered as \w{32}\.\d{10}/;
      await left.said(new RegExp(`Refused .*${words.source}`));
      await late.said(new RegExp(`Refused by node1 .*${words.source}`));
      expect(await late.exit).to.include({ code: 1 });
    }
  });

  it('recover and log refuse a directory that is used or is none, and change nothing', () => {
    const node = cluster.node(1);
    const used = `--dataDir=${node.dataDirectory}`;
    const message = `Cannot use ${node.dataDirectory} as --dataDir: a daemon uses it, stop it first\n`;
    for (const command of [['recover'], ['log', 'inspect'], ['log', 'verify']]) {
      expect(quorate(...command, used)).to.deep.equal({ code: 1, out: '', error: message });
      const none = workshop.path('none');
      expect(quorate(...command, `--dataDir=${none}`).code).to.equal(2);
      expect(fs.existsSync(none)).to.equal(false);
    }
  });
});

describe('The majority that a cluster was recovered without', function () {
  this.timeout(180_000);
  const workshop = useWorkshop();
  let cluster: Cluster;

  before(async function () {
    this.timeout(120_000);
    // Elections late enough for connections to come first, however slow this machine is.
    cluster = await workshop.started(3, { flags: ['--profile=wan'] });
  });

  it('acknowledges nothing when it comes back, says why and ends; also without the recovered node', async () => {
    const [recovered, ...old] = [cluster.node(1), cluster.node(2), cluster.node(3)];
    await recovered.set('before', 'recovery');
    await cluster.kill();
    expect(quorate('recover', `--dataDir=${recovered.dataDirectory}`, '--yes').code).to.equal(0);
    recovered.start();
    await waitFor('the recovered node serves alone', () => recovered.isReady());
    const writers = old.map((node) => new Writer(node.id, node).start());

    for (const node of old) node.start();
    await endedFenced(old);
    await recovered.kill();
    for (const node of old) node.start();
    await endedFenced(old);

    for (const writer of writers) {
      await writer.stop();
      expect([...writer.acknowledged.keys()], `writes through ${writer.node.id}`).to.be.empty;
    }
    for (const node of old) node.wipe();
    await cluster.start();
    for (const node of old) expect(await node.get('before')).to.equal('recovery');
  });

  async function endedFenced(nodes: readonly Daemon[]): Promise<void> {
    for (const node of nodes) {
      await waitFor(`${node.id} ends`, () => !node.isRunning);
      expect(await node.exit).to.include({ code: 1 });
      const lastLife = node.output.slice(node.output.lastIndexOf('--- start of'));
      expect(lastLife).to.match(
        /its cluster was recovered without it as \w{32}\.\d{10}\S* \(node1 at [\d.:]+ is of that\); move \S+ away and start this node again with --join/,
      );
    }
  }
});

const epochOf = ({ token }: EventShown): number => Number(token.split('.')[0]);
