import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../../src/cli/index.ts';
import type { Config } from '../../../src/config/index.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly config: Config | null;
}

async function run(argv: readonly string[], variables: Record<string, string> = {}): Promise<Ran> {
  let out = '';
  let error = '';
  let config: Config | null = null;
  const code = await runCommandLine({
    argv,
    variables,
    isTerminal: false,
    root: '/opt/quorate',
    version: '1.2.3',
    launch: ['false'],
    serve: (served) => {
      config = served;
      return Promise.resolve(0);
    },
    stopRequested: () => Promise.resolve(),
    writeOut: (text) => (out += text),
    writeError: (text) => (error += text),
  });
  return { code, out, error, config };
}

describe('quorate serve', () => {
  it('hands the parsed flags to the node, in either spelling', async () => {
    const { code, config } = await run([
      'serve',
      '--node=a',
      '--verify-interval',
      '5',
      '--bootstrap',
    ]);
    expect(code).to.equal(0);
    expect(config).to.include({ node: 'a', verifyInterval: 5000, bootstrap: true });
  });

  it('lets a later flag win', async () => {
    expect((await run(['serve', '--node=a', '--node=b'])).config?.node).to.equal('b');
  });

  it('takes values that begin with a dash after an equals sign', async () => {
    const { config } = await run(['serve', '--verificationScript=./v.sh -x']);
    expect(config?.verificationScript).to.equal('./v.sh -x');
  });

  it('reads the file that --config or QUORATE_CONFIG names', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
    try {
      const path = join(directory, 'q.yaml');
      writeFileSync(path, 'zone: paris\nnode: file\n');
      expect((await run(['serve', '--config', path])).config).to.include({ zone: 'paris' });
      const named = await run(['serve', '--node=flag'], { QUORATE_CONFIG: path });
      expect(named.config).to.include({ zone: 'paris', node: 'flag' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  const refusals: readonly [readonly string[], RegExp][] = [
    [
      ['serve', '--nope=1'],
      /--nope: found an unknown flag, accepted are those of quorate serve --help/,
    ],
    [['serve', '--node'], /--node/],
    [['serve', '--profile=moon'], /--profile: found "moon", accepted is lan or wan or local/],
    [['serve', 'extra'], /too many arguments/],
    [['serve', '--config=/nowhere/q.yaml'], /--config \/nowhere\/q.yaml: ENOENT/],
    [['local', '--nodes=9'], /--nodes/],
    [['fly'], /unknown command 'fly'/],
  ];
  for (const [argv, message] of refusals) {
    it(`ends with code 2 and one line for ${argv.join(' ')}`, async () => {
      const { code, error, config } = await run(argv);
      expect(code).to.equal(2);
      expect(config).to.equal(null);
      expect(error).to.match(message);
      expect(error.trimEnd().split('\n')).to.have.length(1);
    });
  }

  it('prints the version and the table of flags', async () => {
    expect((await run(['--version'])).out).to.equal('quorate 1.2.3\n');
    expect((await run(['serve', '--version'])).out).to.equal('quorate 1.2.3\n');
    const { code, out } = await run(['serve', '--help']);
    expect(code).to.equal(0);
    expect(out).to.contain('--gossipQuorum').and.to.contain('--eventHold');
  });
});

describe('quorate local', () => {
  it('runs node N of the local cluster with the addresses of the other four', async () => {
    const { config } = await run(['local', '2', '--eventHold=7', '--zone=x']);
    expect(config).to.include({
      node: 'node2',
      http: '127.0.0.1:6001',
      raft: '127.0.0.1:7001',
      gossip: '127.0.0.1:8001',
      bootstrap: false,
      eventHold: 7000,
      zone: 'x',
      verifyInterval: 2000,
      eventInterval: 10_000,
    });
    expect(config?.join).to.deep.equal([6000, 6002, 6003, 6004].map((port) => `127.0.0.1:${port}`));
  });

  it('lets only node 1 bootstrap', async () => {
    expect((await run(['local', '1'])).config?.bootstrap).to.equal(true);
    expect((await run(['local', '3'])).config?.bootstrap).to.equal(false);
  });
});
