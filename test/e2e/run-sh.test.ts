import { expect } from 'chai';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  ask,
  isPortFree,
  mainFile,
  projectRoot,
  startChild,
  useWorkshop,
  waitFor,
} from '../support/e2e/index.ts';

const ports = [6000, 6001, 6002, 7000, 7001, 7002, 8000, 8001, 8002];
const url = (n: number, path: string): string => `http://127.0.0.1:${5999 + n}${path}`;

/** One life of `./run.sh`, from the working directory given. */
class RunSh {
  readonly #child;
  readonly #ended: Promise<number | null>;
  output = '';

  constructor(root: string, cwd: string, flags: readonly string[]) {
    this.#child = startChild([join(root, 'run.sh'), ...flags], { cwd, env: {} });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => (this.output += bytes.toString()));
    }
    this.#ended = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.#ended;
  }
}

const isReady = async (n: number): Promise<boolean> =>
  (await ask(url(n, '/readyz'))).status === 200;
const allReady = (): Promise<boolean> =>
  Promise.all([1, 2, 3].map(isReady)).then((ready) => ready.every(Boolean));

describe('./run.sh', function () {
  this.timeout(180_000);
  const workshop = useWorkshop();
  let root = '';
  const lives: RunSh[] = [];

  function run(...flags: string[]): RunSh {
    const life = new RunSh(root, workshop.directory, flags);
    lives.push(life);
    return life;
  }

  /** A checkout of its own, so that the data of whoever runs the tests stays untouched. */
  before(async function () {
    const free = await Promise.all(ports.map(isPortFree));
    if (!free.every(Boolean)) {
      console.log('Skipped ./run.sh: its ports are in use on this machine');
      this.skip();
    }
    mainFile(); // Installed and built before it is copied.
    root = workshop.path('checkout');
    const wanted = [
      'run.sh',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'tsconfig.build.json',
    ];
    for (const name of [...wanted, 'src', 'proto', 'scripts', 'dist']) {
      cpSync(join(projectRoot, name), join(root, name), {
        recursive: true,
        preserveTimestamps: true,
      });
    }
    symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'));
  });

  after(async () => {
    for (const life of lives) await life.stop('SIGKILL');
  });

  it('runs three nodes from any directory; SIGINT stops all of them with 0', async () => {
    const cluster = run();
    await waitFor('all three nodes are ready', allReady);
    expect((await ask(url(1, '/set?key=kept&value=yes'))).text).to.equal('ok\n');
    expect((await ask(url(3, '/get?key=kept'))).text).to.equal('yes\n');
    await waitFor('it says that it is ready and what to try', () =>
      cluster.output.includes('Ctrl-C stops all of it'),
    );
    expect(cluster.output).to.match(/^The cluster is ready: .*http:\/\/127.0.0.1:6002$/m);
    expect(cluster.output.match(/^ {2}curl /gm)).to.have.length(4);
    expect(cluster.output.match(/^node1 .* Ready at /gm)).to.have.length(1);
    expect(await cluster.stop('SIGINT')).to.equal(0);
    const free = await Promise.all(ports.map(isPortFree));
    expect(free.every(Boolean)).to.equal(true);
  });

  it('started again goes on with the same data', async () => {
    const cluster = run();
    await waitFor('all three nodes are ready', allReady);
    expect((await ask(url(2, '/get?key=kept'))).text).to.equal('yes\n');
    expect(await cluster.stop('SIGTERM')).to.equal(0);
  });

  it('N becomes the daemon itself, with later flags winning', async () => {
    const nodes = [1, 2, 3].map((n) => run(String(n), '--zone=attic', '--logFormat=json'));
    await waitFor('all three nodes are ready', allReady);
    const { text } = await ask(url(1, '/members'));
    await waitFor('all are in the zone of the later flag', async () => {
      const members = JSON.parse((await ask(url(1, '/members'))).text) as { zone: string }[];
      return members.every(({ zone }) => zone === 'attic');
    });
    expect(text).to.contain('node3');
    // The pid is the daemon's own, so a signal to it is a clean stop and not an orphaned node.
    for (const node of nodes) expect(await node.stop('SIGTERM')).to.equal(0);
    expect(await Promise.all(ports.map(isPortFree))).to.not.include(false);
  });

  it('--clean forgets the data', async () => {
    const cluster = run('--clean');
    await waitFor('all three nodes are ready', allReady);
    expect((await ask(url(1, '/get?key=kept'))).status).to.equal(404);
    expect(await cluster.stop('SIGINT')).to.equal(0);
  });
});
