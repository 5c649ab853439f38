import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { startChild, waitFor } from '../e2e/index.ts';
import { linkName } from './network.ts';
import type { Link, Network, Place } from './network.ts';

const subnet = '10.77.0';
const ownHost = `${subnet}.254`;
const ports = { http: 6000, raft: 7000, gossip: 8000 };

/** Nobody's: what is sent to it is lost without a word, as on a cut line. */
const nowhere = '02:00:00:00:ff:ff';
const stationOf = (n: number): string => `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;
const hostOf = (n: number): string => `${subnet}.${n}`;

/**
 * Namespaces of our own for network and processes: what is made inside is seen by nobody outside and
 * is gone, processes too, when the first process in it ends, however that happens. A user who is not
 * root becomes it inside. bash comes first as somebody must bury the orphans of killed daemons.
 */
export function enterCommand(command: readonly string[]): readonly string[] {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const own = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child'];
  return ['unshare', ...user, ...own, 'bash', '-c', '"$@"; exit $?', 'bash', ...command];
}

/** Whether this user may have namespaces with a bridge in them. */
export function canEnter(): boolean {
  const tryOut =
    'ip link add br0 type bridge && ip link add tap1 type veth peer name tap2 && command -v nsenter';
  const [program = '', ...args] = enterCommand(['bash', '-c', tryOut]);
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/**
 * Each node in a network namespace of its own, at one bridge. Only for a process that was started
 * through `enterCommand`. A link is cut by giving its sender a wrong hardware address of the
 * receiver: one direction at a time, and no socket learns of it.
 */
export class Namespaces implements Network {
  readonly means = 'network namespaces';
  readonly ownHost = ownHost;
  readonly places: readonly Place[];
  readonly #holders: readonly ChildProcess[];
  #cut = new Set<string>();

  private constructor(holders: readonly ChildProcess[]) {
    this.#holders = holders;
    this.places = holders.map((holder, i) => ({
      host: hostOf(i + 1),
      ports,
      raft: `${hostOf(i + 1)}:${ports.raft}`,
      wrapper: enterNetOf(holder),
      flags: [],
    }));
  }

  static async create(nodeCount: number): Promise<Namespaces> {
    await ip([], ['link set lo up', 'link add br0 type bridge', `addr add ${ownHost}/24 dev br0`]);
    await ip([], ['link set br0 up']);
    const holders: ChildProcess[] = [];
    for (let n = 1; n <= nodeCount; n++) holders.push(await plugIn(n));
    for (const [i, holder] of holders.entries()) {
      const others = holders.flatMap((_, j) => (i === j ? [] : [reach(j + 1, stationOf(j + 1))]));
      await ip(enterNetOf(holder), others);
    }
    return new Namespaces(holders);
  }

  async cut(links: readonly Link[]): Promise<void> {
    const wanted = new Set(links.map(linkName));
    const work: Promise<void>[] = [];
    for (const [i, holder] of this.#holders.entries()) {
      const from = i + 1;
      const lines = this.#holders.flatMap((_, j) => {
        const name = `${from}>${j + 1}`;
        if (i === j || wanted.has(name) === this.#cut.has(name)) return [];
        return [reach(j + 1, wanted.has(name) ? nowhere : stationOf(j + 1))];
      });
      if (lines.length > 0) work.push(ip(enterNetOf(holder), lines));
    }
    await Promise.all(work);
    this.#cut = wanted;
  }

  close(): Promise<void> {
    for (const holder of this.#holders) holder.kill('SIGKILL');
    return Promise.resolve();
  }
}

const reach = (to: number, station: string): string =>
  `neigh replace ${hostOf(to)} lladdr ${station} dev eth0 nud permanent`;

const enterNetOf = (holder: ChildProcess): readonly string[] => {
  if (holder.pid === undefined)
    throw new Error('Cannot enter a namespace: its holder is not there');
  return ['nsenter', '--target', String(holder.pid), '--net', '--'];
};

async function plugIn(n: number): Promise<ChildProcess> {
  const holder = startChild(['unshare', '--net', 'sleep', 'infinity'], { cwd: '/', env: {} });
  const pid = holder.pid ?? 0;
  const net = (of: number | 'self'): string => readlinkSync(`/proc/${of}/ns/net`);
  await waitFor(`node ${n} has a namespace`, () => net(pid) !== net('self'));
  await ip(
    [],
    [`link add node${n} type veth peer name eth0 netns ${pid}`, `link set node${n} master br0 up`],
  );
  await ip(enterNetOf(holder), [
    'link set lo up',
    `link set eth0 address ${stationOf(n)}`,
    `addr add ${hostOf(n)}/24 dev eth0`,
    'link set eth0 up',
  ]);
  return holder;
}

function ip(wrapper: readonly string[], lines: readonly string[]): Promise<void> {
  const [program, ...args] = [...wrapper, 'ip', '-batch', '-'];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Cannot set up the network with ${lines.join('; ')}: ${said}`));
    });
    child.stdin.end(`${lines.join('\n')}\n`);
  });
}
