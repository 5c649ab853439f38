import { expect } from 'chai';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { asIndex, utf8 } from '../../src/shared/index.ts';
import { appliedWrite, readApplied } from '../../src/storage/engine/engine-rows.ts';
import { seal, unseal } from '../../src/storage/engine/sealed-row.ts';
import { rocksKvFactory } from '../../src/storage/index.ts';
import { decodeFacts, encodeFacts } from '../../src/store/codec/row-codec.ts';
import { keyRow } from '../../src/store/rows.ts';
import { ProtoWriter } from '../../src/wire/index.ts';
import type { Cluster, Daemon } from '../support/e2e/index.ts';
import { useWorkshop, waitFor } from '../support/e2e/index.ts';

interface KeySummary {
  readonly key: string;
  readonly version: number;
}

const digestEvery = 10_000;
const clients = 4;

/** Changes a row as only a bug could: with a checksum that holds, and no digest that a start would miss it by. */
async function forgeVersion(node: Daemon, key: string): Promise<void> {
  const kv = await rocksKvFactory().open(join(node.dataDirectory, 'state-1'));
  const writer = new ProtoWriter(256);
  const row = keyRow(writer, utf8(key));
  const [sealed] = await kv.getMany([row]);
  const facts = sealed && decodeFacts(unseal(row, sealed));
  if (!facts) throw new Error(`Cannot forge ${key}: there is no such row`);
  const forged = encodeFacts(writer, { ...facts, version: facts.version + 1 });
  const { index } = (await readApplied(kv)) ?? { index: asIndex(0) };
  const untold = appliedWrite({ index, digest: null });
  await kv.batch([{ row, value: seal(row, forged) }, untold], { sync: true });
  await kv.close();
}

async function appliedIndex(node: Daemon): Promise<number> {
  const { text } = await node.ask('/metrics');
  return Number(/^quorate_raft_applied_index (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Deletes what is not there, one entry each or a few together, until the log has so many more. */
async function fillLog(node: Daemon, until: number): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const asked = request(`http://${node.http}/del?key=none`, { agent }, (answer) => {
        answer.resume().once('end', resolve);
      });
      asked.once('error', reject).end();
    });
  const work = async (): Promise<void> => {
    while ((await appliedIndex(node)) < until) for (let i = 0; i < 500; i++) await one();
  };
  await Promise.all(Array.from({ length: clients }, work));
  agent.destroy();
}

describe('A state that differs from the others', function () {
  this.timeout(180_000);
  const workshop = useWorkshop();
  let cluster: Cluster;

  before(async function () {
    this.timeout(120_000);
    cluster = await workshop.started(3);
  });

  it('ends its node, which comes back with the state of the majority', async () => {
    const leader = await cluster.leader();
    const [victim] = await cluster.followers();
    if (victim === undefined) throw new Error('no follower');
    await leader.set('key', 'value');
    await waitFor(
      'the follower has it',
      async () => (await victim.get('key', 'local')) === 'value',
    );
    expect(await victim.stop()).to.equal(0);
    await forgeVersion(victim, 'key');
    victim.start();
    await cluster.settled();
    const versionOf = async (): Promise<number | undefined> =>
      (await victim.json<KeySummary[]>('/keys'))[0]?.version;
    expect(await versionOf()).to.equal(2);

    await fillLog(leader, digestEvery);
    const { code } = await victim.exit;
    expect(code).to.equal(75);
    expect(victim.output).to.match(
      /Cannot go on with the state as a copy of the others': its digest after entry 10000 is 0x/,
    );
    await leader.said('The nodes hold different states after entry 10000');
    victim.start();
    await cluster.settled();
    expect(await versionOf()).to.equal(1);
  });
});
