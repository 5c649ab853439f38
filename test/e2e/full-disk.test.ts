import { expect } from 'chai';
import { mkdirSync } from 'node:fs';
import { Daemon, form, freePorts, SmallDisk, useWorkshop, waitFor } from '../support/e2e/index.ts';

const diskMegabytes = 300;
const value = 'v'.repeat(200_000);

describe('A disk that is full', function () {
  this.timeout(120_000);
  const workshop = useWorkshop();
  let disk: SmallDisk | undefined;
  let node: Daemon;

  before(async function () {
    if (!SmallDisk.isPossible) this.skip();
    const small = await SmallDisk.create(workshop.path('disk'), diskMegabytes);
    disk = small;
    const cwd = workshop.path('cwd');
    mkdirSync(cwd, { recursive: true });
    node = new Daemon({
      id: 'node1',
      dataDirectory: `${small.path}/node1`,
      cwd,
      ports: await freePorts(),
      flags: ['--bootstrap', '--profile=local', '--logFormat=json'],
      env: {},
      wrapper: small.wrapper,
    });
    node.start();
    await waitFor('node1 is ready', () => node.isReady());
  });

  after(async () => {
    if (disk === undefined) return;
    await node.kill();
    disk.close();
  });

  it('ends the process with one clear line and loses nothing that was acknowledged', async () => {
    const acknowledged: string[] = [];
    await setNext(node, acknowledged);
    expect(acknowledged).to.have.length(1);
    disk?.fill();
    await waitFor('node1 ends', () => setUntilItEnds(node, acknowledged));
    const { code } = await node.exit;
    expect(code).to.equal(1);
    const errors = node.output.split('\n').filter((line) => line.includes('"level":"error"'));
    expect(errors).to.have.length(1);
    expect(errors[0]).to.match(/This node must stop: .*No space left on device/i);
    expect(errors[0]).to.contain(node.dataDirectory);

    disk?.free();
    node.start();
    await waitFor('node1 is ready again', () => node.isReady());
    for (const key of acknowledged) expect(await node.get(key), key).to.equal(value);
  });
});

async function setUntilItEnds(node: Daemon, acknowledged: string[]): Promise<boolean> {
  if (!node.isRunning) return true;
  await setNext(node, acknowledged);
  return false;
}

async function setNext(node: Daemon, acknowledged: string[]): Promise<void> {
  const key = `key${acknowledged.length}`;
  const { status } = await node.ask('/set', form({ key, value }));
  if (status === 200) acknowledged.push(key);
}
