import { expect } from 'chai';
import { mkdirSync } from 'node:fs';
import { Daemon, form, freePorts, SmallDisk, useWorkshop, waitFor } from '../support/e2e/index.ts';

const diskMegabytes = 400;
const value = 'v'.repeat(200_000);

const segmentsOn = (disk: SmallDisk): number =>
  disk.list('node1/log').filter((name) => name.endsWith('.seg')).length;

describe('A disk that fills up', function () {
  this.timeout(180_000);
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
    // One that is being made gives its room back when the disk fills up.
    await waitFor('all segments of the log are made', () => segmentsOn(small) === 3);
  });

  after(async () => {
    if (disk === undefined) return;
    await node.kill();
    disk.close();
  });

  it('has values refused before it is full, and nothing else; they are taken again after', async () => {
    const client = { 'X-Client-Id': 'client', 'X-Request-Id': '1' };
    const set = async (key: string, headers = {}) => {
      const ask = form({ key, value: 'value' });
      return node.ask('/set', { ...ask, headers: { ...ask.headers, ...headers } });
    };
    expect((await set('first', client)).status).to.equal(200);
    disk?.fill(32);
    const refused = await waitFor('values are refused', async () => {
      const answer = await set('later');
      return answer.status === 507 && answer;
    });
    expect(refused.text).to.equal(
      'Cannot put the key while disk space runs out: too little is left on node1\n',
    );
    expect((await set('first', client)).status, 'what was answered before').to.equal(200);
    expect(await node.get('first')).to.equal('value');
    const ready = await node.ask('/readyz');
    expect(ready.status).to.equal(200);
    expect(ready.text).to.contain('warning: values are refused: too little disk is left on node1');
    expect((await node.ask('/metrics')).text).to.contain('quorate_store_no_space 1');
    await node.del('first');

    disk?.free();
    await waitFor('values are taken', async () => (await set('later')).status === 200);
    expect(await node.get('first')).to.equal(null);
    expect((await node.ask('/readyz')).text).to.not.contain('too little disk');
  });

  it('to the last byte ends the process with one clear line and loses nothing that was acknowledged', async () => {
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
  // A delete is taken without space, too.
  await node.ask('/del', form({ key: 'none' })).catch(() => null);
  return false;
}

async function setNext(node: Daemon, acknowledged: string[]): Promise<void> {
  const key = `key${acknowledged.length}`;
  const answer = await node.ask('/set', form({ key, value })).catch(() => null);
  if (answer?.status === 200) acknowledged.push(key);
}
