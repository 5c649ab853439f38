import { readdirSync, symlinkSync, mkdirSync, statSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { checkScript } from '../../../src/runner/index.ts';
import { Workshop } from './support.ts';

const scriptPath = (name: string): string =>
  fileURLToPath(new URL(`../../../scripts/${name}`, import.meta.url));
const hostile = '$(touch pwned);\'"\n* ';

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('scripts/verify.sh', () => {
  const workshop = new Workshop();
  const plain = createServer((socket) => socket.destroy());
  const web = createHttpServer((request, response) => {
    response.statusCode = request.url === '/sick' ? 503 : 200;
    response.end();
  });
  let openPort = 0;
  let webPort = 0;
  let closedPort = 0;

  before(async () => {
    [openPort, webPort] = [await listen(plain), await listen(web)];
    const closed = createServer();
    closedPort = await listen(closed);
    closed.close();
  });
  after(() => {
    plain.close();
    web.close();
    workshop.clear();
  });

  interface Setting {
    readonly input?: string;
    readonly path?: string;
  }

  async function say(value: string, { input = '', path }: Setting = {}): Promise<string> {
    const env = path === undefined ? {} : { PATH: path };
    const options = { cwd: workshop.folder, input, env };
    const { stdout } = await execa(scriptPath('verify.sh'), ['key', value], options);
    return stdout.split('\n')[0] ?? '';
  }

  it('is accepted as a script', () => {
    const file = scriptPath('verify.sh');
    expect(checkScript(file, { flag: '--verificationScript', searchPath: '' })).to.equal(file);
  });

  it('says UP or DOWN of host:port', async () => {
    expect(await say(`127.0.0.1:${openPort}`)).to.equal('UP');
    expect(await say(`127.0.0.1:${closedPort}`)).to.equal('DOWN');
  });

  it('says UP or DOWN of a URL by its answer', async () => {
    expect(await say(`http://127.0.0.1:${webPort}/well?a=[1]`)).to.equal('UP');
    expect(await say(`http://127.0.0.1:${webPort}/sick`)).to.equal('DOWN');
    expect(await say(`http://127.0.0.1:${closedPort}/`)).to.equal('DOWN');
  });

  it('cannot tell what is no address, and runs nothing in it', async () => {
    const values = [hostile, '', '-n', 'hello', 'localhost', '127.0.0.1:0', '127.0.0.1:99999'];
    const evil = [`127.0.0.1:80\n${hostile}`, 'x[$(touch pwned)]:1', 'http://$(touch pwned)/'];
    for (const value of [...values, ...evil, 'ftp://127.0.0.1/', 'file:///etc/passwd']) {
      expect(await say(value), JSON.stringify(value)).to.equal('EMPTY');
    }
    expect(readdirSync(workshop.folder)).to.deep.equal([]);
  });

  it('takes the value from standard input behind @stdin', async () => {
    expect(await say('@stdin', { input: `127.0.0.1:${openPort}` })).to.equal('UP');
    expect(await say('@stdin', { input: 'x'.repeat(500_000) })).to.equal('EMPTY');
  });

  it('works without timeout(1) and curl', async () => {
    const path = workshop.path('bin');
    mkdirSync(path);
    for (const tool of ['bash', 'head', 'tr', 'sleep', 'cat']) {
      const { stdout } = await execa('sh', ['-c', `command -v ${tool}`]);
      symlinkSync(stdout, `${path}/${tool}`);
    }
    const env = { path };
    expect(await say(`127.0.0.1:${openPort}`, env)).to.equal('UP');
    expect(await say(`127.0.0.1:${closedPort}`, env)).to.equal('DOWN');
    expect(await say(`http://127.0.0.1:${webPort}/`, env)).to.equal('UP');
  });
});

describe('scripts/notify.sh', () => {
  const workshop = new Workshop();
  after(() => {
    workshop.clear();
  });

  async function run(log: string, args: readonly string[], token = ''): Promise<number> {
    const env = { NOTIFY_LOG: workshop.path(log), QUORATE_TOKEN: token };
    const options = { env, cwd: workshop.folder, reject: false, input: '{}' } as const;
    return (await execa(scriptPath('notify.sh'), args, options)).exitCode ?? -1;
  }

  const lines = (log: string): readonly string[] => workshop.read(log).split('\n').slice(0, -1);

  it('is accepted as a script', () => {
    expect(statSync(scriptPath('notify.sh')).mode & 0o111).to.equal(0o111);
  });

  it('appends one line that says what it was told, with and without ROLE', async () => {
    expect(await run('told', ['leader', 'k', '10.0.0.1:80', 'DOWN'])).to.equal(0);
    expect(await run('told', ['k', '10.0.0.1:80', 'UP'])).to.equal(0);
    expect(lines('told')[0]).to.match(/^\S+Z leader k 10\.0\.0\.1:80 DOWN token=- /);
    expect(lines('told')[1]).to.match(/^\S+Z - k 10\.0\.0\.1:80 UP token=- /);
  });

  it('keeps hostile arguments on one line and runs nothing in them', async () => {
    expect(await run('hostile', ['leader', `../${hostile}`, hostile, 'DOWN'], 'a')).to.equal(0);
    expect(lines('hostile')).to.have.lengthOf(1);
    expect(readdirSync(workshop.folder)).to.not.include('pwned');
  });

  it('acts once for a token and not at all for a lower one, per key', async () => {
    const event = (key: string): readonly string[] => ['leader', key, 'v', 'DOWN'];
    await run('guard', event('k'), '0000000001.0000000000000009');
    await run('guard', event('k'), '0000000001.0000000000000009');
    await run('guard', event('k'), '0000000001.0000000000000007');
    expect(lines('guard')).to.have.lengthOf(1);
    await run('guard', event('other'), '0000000001.0000000000000007');
    await run('guard', event('k'), '0000000002.0000000000000001');
    expect(lines('guard')).to.have.lengthOf(3);
  });

  it('acts once when the same event is run many times at once', async () => {
    const event = ['leader', 'k', 'v', 'DOWN'];
    await Promise.all(Array.from({ length: 8 }, () => run('race', event, '1')));
    expect(lines('race')).to.have.lengthOf(1);
  });

  it('lets a follower report without taking the token from the leader', async () => {
    await run('roles', ['follower', 'k', 'v', 'DOWN'], '5');
    await run('roles', ['leader', 'k', 'v', 'DOWN'], '5');
    expect(lines('roles')).to.have.lengthOf(2);
  });

  it('asks to be tried again when the log cannot be written, and gives up on a wrong call', async () => {
    expect(await run('missing/log', ['follower', 'k', 'v', 'DOWN'])).to.equal(1);
    expect(await run('wrong', ['k'])).to.equal(100);
  });
});
