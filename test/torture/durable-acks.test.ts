import { expect } from 'chai';
import { Agent } from 'node:http';
import { seededRandom } from '../../src/shared/index.ts';
import { query, useWorkshop } from '../support/e2e/index.ts';
import type { Cluster, Daemon } from '../support/e2e/index.ts';
import {
  markOf,
  parseTrace,
  patchBuild,
  pinBuild,
  proveAcks,
  tell,
  Trace,
  whyNoTrace,
} from '../support/torture/index.ts';
import type { AckProof, SystemCall } from '../support/torture/index.ts';

const connectionsPerNode = 5;
const requestsPerConnection = 30;
const random = seededRandom(1);
let marks = 0;

/** One request after the other on one connection; how many were acknowledged. */
async function writeMarks(node: Daemon): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let acknowledged = 0;
  for (let i = 0; i < requestsPerConnection; i++) {
    const value = markOf(++marks, random.hex(8));
    const url = `http://${node.http}/set?${query({ key: `k${marks % 7}`, value })}`;
    const { status } = await tell({ url, method: 'POST', agent, timeoutMs: 20_000 });
    if (status === 200) acknowledged++;
  }
  agent.destroy();
  return acknowledged;
}

/** Writes through all nodes while their system calls are traced. */
async function traced(
  cluster: Cluster,
  path: (name: string) => string,
): Promise<[number, AckProof]> {
  const traces = new Map<string, Trace>();
  for (const { id, pid } of cluster.nodes)
    traces.set(id, await Trace.attach(pid, path(`${id}.trace`)));
  const load = cluster.nodes.flatMap((node) =>
    Array.from({ length: connectionsPerNode }, () => writeMarks(node)),
  );
  const acknowledged = (await Promise.all(load)).reduce((sum, count) => sum + count, 0);
  const calls = new Map<string, SystemCall[]>();
  for (const [id, trace] of traces) calls.set(id, await trace.end());
  return [acknowledged, proveAcks(calls)];
}

describe('What the kernel saw of acknowledged writes', function () {
  this.timeout(120_000);
  const workshop = useWorkshop();
  before(function () {
    const why = whyNoTrace();
    if (why === null) return;
    console.log(`    skipped: ${why}`);
    this.skip();
  });

  it('no 200 leaves before the log writes of a majority have returned', async () => {
    const cluster = await workshop.started(3);
    const [acknowledged, proof] = await traced(cluster, (name) => workshop.path(name));
    await cluster.kill();
    expect(acknowledged).to.be.above(300);
    expect(proof.ackCount).to.be.at.least(acknowledged);
    expect(proof.early).to.deep.equal([]);
  });

  it('a build that acknowledges what is not written yet is found out', async () => {
    const main = pinBuild(workshop.path('early'));
    patchBuild(
      main,
      'storage/log/segment.js',
      'return writeFully(this.#file, offset, bytes);',
      'const copy = bytes.slice(); setTimeout(() => void writeFully(this.#file, offset, copy), 20);',
    );
    const cluster = await workshop.started(3, { main });
    const [, proof] = await traced(cluster, (name) => workshop.path(`early-${name}`));
    await cluster.kill();
    expect(proof.ackCount).to.be.above(0);
    expect(proof.early).to.not.deep.equal([]);
  });
});

const hex = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');

describe('parseTrace', () => {
  const file = hex('/d/log/log-0000000000000001.seg');

  it('parseTrace() joins a call that another thread interrupted, with the time it took', () => {
    const text = [
      `7 10.000001 pwrite64(3<${file}>, "${hex('abc')}", 3, 4096 <unfinished ...>`,
      `8 10.000100 write(4<${hex('socket:[9]')}>, "${hex('x')}", 1) = 1 <0.000002>`,
      '7 10.000900 <... pwrite64 resumed>) = 3 <0.000800>',
      '8 10.001000 +++ exited with 0 +++',
      `9 10.001100 read(5<${hex('socket:[1]')}>, 0x7f, 65536) = -1 EAGAIN (Resource temporarily unavailable) <0.000010>`,
    ].join('\n');
    const [first, second, third] = parseTrace(text);
    expect(first).to.deep.equal({
      name: 'pwrite64',
      target: '/d/log/log-0000000000000001.seg',
      data: Buffer.from('abc'),
      enteredAt: 10_000_001,
      returnedAt: 10_000_801,
      result: 3,
    });
    expect(second).to.include({ name: 'write', target: 'socket:[9]', result: 1 });
    expect(third).to.include({ name: 'read', result: -1 });
  });

  it('parseTrace() joins the parts of a gathered write', () => {
    const parts = `[{iov_base="${hex('ab')}", iov_len=2}, {iov_base="${hex('cd')}", iov_len=2}], 2`;
    const [call] = parseTrace(
      `7 10.000001 writev(3<${hex('socket:[2]')}>, ${parts}) = 4 <0.000001>`,
    );
    expect(call?.data.toString()).to.equal('abcd');
  });
});

describe('proveAcks', () => {
  const mark = markOf(1, '0123456789abcdef');
  const call = (
    name: string,
    target: string,
    text: string,
    [enteredAt, returnedAt]: readonly [number, number],
  ): SystemCall => ({
    name,
    target,
    data: Buffer.from(text),
    enteredAt,
    returnedAt,
    result: text.length,
  });
  const logged = (at: number): SystemCall =>
    call('pwrite64', '/log/log-0000000000000001.seg', `${'\0'.repeat(40)}${mark}`, [at - 5, at]);
  const exchange = (at: number): SystemCall[] => [
    call('read', 'socket:[1]', `POST /set?key=k&value=${mark} HTTP/1.1`, [1, 2]),
    call('writev', 'socket:[1]', 'HTTP/1.1 200 OK', [at, at + 1]),
  ];
  const prove = (leader: number, follower: number, answer: number): readonly string[] =>
    proveAcks(
      new Map([
        ['a', [...exchange(answer), logged(leader)]],
        ['b', [logged(follower)]],
        ['c', []],
      ]),
    ).early;

  it('proveAcks() accepts an answer after two of three writes have returned', () => {
    expect(prove(20, 30, 30)).to.deep.equal([]);
  });

  it('proveAcks() complains of an answer while the second write is under way', () => {
    expect(prove(20, 31, 30)).to.deep.equal([`${mark}: a answered when 1 of 3 logs held it`]);
    expect(prove(31, 20, 30)).to.have.length(1);
  });
});
