import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../../src/cli/index.ts';
import type { OfflineTools } from '../../../src/cli/offline.ts';
import { forgetLocalData, localDataDirectory } from '../../../src/cli/local-data.ts';
import type { Config } from '../../../src/config/index.ts';
import { codeOf } from '../../../src/shared/index.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly config: Config | null;
}

/** What the offline commands were asked to do. */
const asked: unknown[] = [];
const offline: OfflineTools = {
  inspectLog: (options) => {
    asked.push(options);
    return Promise.resolve(1);
  },
  verify: (dataDir) => {
    asked.push(dataDir);
    return Promise.resolve(0);
  },
  recover: (options) => {
    asked.push(options);
    return Promise.resolve(2);
  },
};

async function run(
  argv: readonly string[],
  variables: Record<string, string> = {},
  takenPorts: readonly number[] = [],
): Promise<Ran> {
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
    offline,
    stopRequested: () => Promise.resolve(),
    isTaken: (port) => Promise.resolve(takenPorts.includes(port)),
    writeOut: (text) => (out += text),
    writeError: (text) => (error += text),
  });
  return { code, out, error, config };
}

describe('quorate log', () => {
  it('hands its flags to inspect and verify, in either spelling, and ends with their exit code', async () => {
    asked.length = 0;
    expect((await run(['log', 'inspect', '--data-dir=d', '--json', '--from=3'])).code).to.equal(1);
    expect((await run(['log', 'verify', '--dataDir', 'e'])).code).to.equal(0);
    expect(asked).to.deep.equal([{ dataDir: 'd', json: true, from: 3, to: null }, 'e']);
  });

  it('hands all directories to recover, and whether it is confirmed', async () => {
    asked.length = 0;
    expect((await run(['recover', '--dataDir=a', '--dataDir=b'])).code).to.equal(2);
    await run(['recover', '--dataDir=a', '--yes']);
    expect(asked).to.deep.equal([
      { dataDirs: ['a', 'b'], isConfirmed: false },
      { dataDirs: ['a'], isConfirmed: true },
    ]);
  });

  it('refuses a missing directory and what is no index in one line', async () => {
    const missing = await run(['log', 'verify']);
    expect(missing.code).to.equal(2);
    expect(missing.error).to.contain("'--dataDir <DIR>' not specified");
    const odd = await run(['log', 'inspect', '--dataDir=d', '--to=0']);
    expect(odd.error).to.equal(
      'Cannot start with --to: found "0", accepted is an index of the log, from 1 on\n',
    );
  });
});

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
    [['serve', '--verifyinterval=3'], /--verifyinterval: .* did you mean --verifyInterval$/m],
    [['serve', '--node'], /^Cannot start with --node: found no value, accepted is <ID>$/m],
    [['serve', '--profile=moon'], /--profile: found "moon", accepted is lan or wan or local/],
    [['serve', 'extra'], /too many arguments/],
    [['serve', '--config=/nowhere/q.yaml'], /--config \/nowhere\/q.yaml: ENOENT/],
    [['local', '--nodes=9'], /^Cannot start with --nodes: found "9", accepted is 1 to 5$/m],
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

  it('hands everything after N to the node, values that stand apart included', async () => {
    const { config } = await run(['local', '2', '--zone', 'east', '--event-hold', '7']);
    expect(config).to.include({ node: 'node2', zone: 'east', eventHold: 7000 });
    const { code, error } = await run(['local', '2', 'extra']);
    expect(code).to.equal(2);
    expect(error).to.match(/too many arguments/);
  });

  it('names the accepted numbers when N is another', async () => {
    const { code, error } = await run(['local', '9']);
    expect(code).to.equal(2);
    expect(error).to.equal('Cannot start node 9: accepted is 1 to 5\n');
  });

  it('starts a cluster also when only flags for its nodes are given', async () => {
    const { code, out } = await run(['local', '--nodes=2', '--logLevel', 'debug']);
    expect(code).to.equal(1); // `false` stands in for the program.
    expect(out).to.match(/^A cluster of 2 nodes starts/);
  });

  it('starts no cluster where something listens already', async () => {
    const { code, out, error } = await run(['local', '--nodes=2'], {}, [6001]);
    expect([code, out]).to.deep.equal([2, '']);
    expect(error).to.equal(
      'Cannot start node2: something listens at 127.0.0.1:6001 already, stop it first\n',
    );
  });
});

describe('quorate', () => {
  it('without a command shows what there is and ends with code 2', async () => {
    const { code, error } = await run([]);
    expect(code).to.equal(2);
    expect(error).to.match(/Commands:\n +serve .*\n +local /);
  });
});

describe('forgetLocalData()', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'quorate-local-'));
    for (const n of [1, 2]) mkdirSync(join(root, '.data', `node${n}`), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const present = (n: number): boolean => existsSync(localDataDirectory(root, n));
  const nobody = (): Promise<boolean> => Promise.resolve(false);

  it('forgets one node or all of them', async () => {
    await forgetLocalData({ root, n: 2, isRunning: nobody });
    expect([present(1), present(2)]).to.deep.equal([true, false]);
    mkdirSync(join(root, '.data', 'other'));
    await forgetLocalData({ root, isRunning: nobody });
    expect(present(1)).to.equal(false);
    expect(existsSync(join(root, '.data', 'other'))).to.equal(true);
  });

  it('leaves everything as it is while one of the nodes runs', async () => {
    const isRunning = (port: number): Promise<boolean> => Promise.resolve(port === 6001);
    const failure = await forgetLocalData({ root, isRunning }).catch((error: unknown) => error);
    expect(codeOf(failure)).to.equal('CONFIG_INVALID');
    expect(String(failure)).to.match(/--clean: node2 still runs at 127.0.0.1:6001, stop it/);
    expect([present(1), present(2)]).to.deep.equal([true, true]);
  });
});
