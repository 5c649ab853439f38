import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Cluster, Daemon, Member } from '../support/e2e/index.ts';
import { mainFile, useWorkshop } from '../support/e2e/index.ts';

/** Changes one bit in each of `count` bytes from `offset` on. */
function flip(path: string, offset: number, count = 1): void {
  const file = fs.openSync(path, 'r+');
  const bytes = Buffer.alloc(count);
  fs.readSync(file, bytes, 0, count, offset);
  fs.writeSync(
    file,
    bytes.map((byte) => byte ^ 4),
    0,
    count,
    offset,
  );
  fs.closeSync(file);
}

const firstSegment = (node: Daemon): string =>
  join(node.dataDirectory, 'log', 'log-0000000000000001.seg');

const keyCount = 20;

describe('A node with damaged data', function () {
  this.timeout(120_000);
  const workshop = useWorkshop();
  let cluster: Cluster;
  let victim: Daemon;

  beforeEach(async function () {
    this.timeout(120_000);
    cluster = await workshop.started(3);
    const [follower] = await cluster.followers();
    if (follower === undefined) throw new Error('A node must follow');
    victim = follower;
    for (let i = 0; i < keyCount; i++) await victim.set(`k${i}`, `v${i}`);
  });
  afterEach(() => cluster.kill());

  const incarnationOf = async (id: string): Promise<string | undefined> => {
    const members = await (await cluster.leader()).json<Member[]>('/members');
    return members.find((member) => member.id === id)?.incarnation;
  };

  async function comesBack(before: string | undefined): Promise<void> {
    await cluster.settled();
    expect(await incarnationOf(victim.id))
      .to.be.a('string')
      .and.not.equal(before);
    for (let i = 0; i < keyCount; i++) {
      expect(await victim.get(`k${i}`, 'local')).to.equal(`v${i}`);
    }
    expect(victim.output).to.contain('asks to be let in again as a new incarnation');
    const aside = fs
      .readdirSync(victim.dataDirectory)
      .filter((name) => name.startsWith('damaged-'));
    expect(aside).to.have.length(1);
    expect(fs.readdirSync(join(victim.dataDirectory, aside[0] ?? ''))).to.include('log');
  }

  it('comes back as a new incarnation with all keys after bytes of its log flipped', async () => {
    const before = await incarnationOf(victim.id);
    await victim.stop();
    flip(firstSegment(victim), 3 * 4096 + 60);
    victim.start();
    await comesBack(before);
    expect(victim.output).to.match(/log-0000000000000001.seg at byte 12288: the checksum/);
  });

  it('comes back as a new incarnation after its state was damaged or condemned', async () => {
    const before = await incarnationOf(victim.id);
    await victim.stop();
    const state = join(victim.dataDirectory, 'state-1');
    for (const name of fs.readdirSync(state)) {
      if (name.startsWith('MANIFEST')) flip(join(state, name), 20, 8);
    }
    victim.start();
    await comesBack(before);
    const again = await incarnationOf(victim.id);
    await victim.stop();
    fs.writeFileSync(join(victim.dataDirectory, 'condemned'), 'its digest differs');
    victim.start();
    await comesBack(again);
    expect(victim.output).to.contain('as data of this node: its digest differs');
  });

  it('comes back as a new incarnation after a file of its state was lost', async () => {
    const before = await incarnationOf(victim.id);
    await victim.stop();
    const state = join(victim.dataDirectory, 'state-1');
    // What it wrote before goes to a table file at a start.
    victim.start();
    await cluster.settled();
    await victim.stop();
    const tables = fs.readdirSync(state).filter((name) => name.endsWith('.sst'));
    expect(tables).to.not.be.empty;
    for (const name of tables) fs.rmSync(join(state, name));
    victim.start();
    await comesBack(before);
    expect(victim.output).to.match(/a file for random read.*neither votes with it nor serves it/);
  });

  it('keeps its data and says why it stops when no majority of the others answers', async () => {
    await cluster.stop();
    flip(firstSegment(victim), 3 * 4096 + 60);
    const mark = victim.output.length;
    victim.start();
    await victim.said('whether the cluster goes on', mark);
    expect(await victim.stop()).to.equal(1);
    const said = victim.output.slice(mark);
    expect(said).to.contain('It stays as it is: no majority of the others could be asked');
    expect(fs.existsSync(firstSegment(victim))).to.equal(true);
  });
});

describe('A node with damaged data that is alone', function () {
  this.timeout(60_000);
  const workshop = useWorkshop();

  it('stops at once, says that it was the only voter, and leaves all as it is', async () => {
    const cluster = await workshop.started(1);
    const node = cluster.node(1);
    await node.set('k', 'v');
    await node.stop();
    const mark = node.output.length;
    const damaged = join(node.dataDirectory, 'log', 'log-0000000000000001.seg');
    const whole = fs.readFileSync(damaged);
    flip(damaged, 2 * 4096 + 60);
    node.start();
    expect((await node.exit).code).to.equal(1);
    expect(node.output.slice(mark)).to.contain('it was the only voter');
    fs.writeFileSync(damaged, whole);
    node.start();
    await cluster.settled();
    expect(await node.get('k')).to.equal('v');
    await cluster.kill();
  });

  it('goes on after its state was lost: log verify and recover lead there from the condemned data', async () => {
    const cluster = await workshop.started(1);
    const node = cluster.node(1);
    await node.set('k', 'v');
    await node.stop();
    const state = join(node.dataDirectory, 'state-1');
    fs.rmSync(join(state, 'CURRENT'));
    fs.writeFileSync(join(node.dataDirectory, 'condemned'), 'a row is damaged');
    const flag = `--dataDir=${node.dataDirectory}`;
    const ran = (...args: readonly string[]): string => {
      const { status, stdout } = spawnSync(process.execPath, [mainFile(), ...args, flag]);
      return `${status}: ${stdout.toString()}`;
    };
    node.start();
    expect((await node.exit).code).to.equal(1);
    expect(node.output).to.contain('it was the only voter').and.contain('see quorate log verify');
    expect(ran('log', 'verify')).to.match(/^1: .*CURRENT.*with state-1 moved away.*2 findings/s);
    fs.renameSync(state, workshop.path('state-1'));
    expect(ran('log', 'verify')).to.match(/^1: .*goes on from this directory.*1 finding\./s);
    expect(ran('recover', '--yes')).to.match(/^0: .*a row is damaged.*Done/s);
    node.start();
    await cluster.settled();
    expect(await node.get('k')).to.equal('v');
    await cluster.kill();
  });
});
