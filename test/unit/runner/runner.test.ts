import { expect } from 'chai';
import fc from 'fast-check';
import { startRunner } from '../../../src/runner/index.ts';
import type { ScriptRunner } from '../../../src/runner/index.ts';
import { codeOf } from '../../../src/shared/index.ts';
import { isAlive, job, silentLogger, until, Workshop } from './support.ts';

describe('startRunner()', () => {
  const workshop = new Workshop();
  let runner: ScriptRunner;

  before(async () => {
    runner = await startRunner({ logger: silentLogger, verifyConcurrency: 4 });
  });
  after(async () => {
    await runner.stop({ graceMs: 1_000 });
    workshop.clear();
  });

  const nulEnd = String.raw`printf '%s\0' "$@"`;

  it('run() hands hostile arguments over byte for byte and runs nothing in them', async () => {
    const file = workshop.script('arguments.sh', nulEnd);
    const args = ['$(touch pwned);\'"\n* ', '', 'a b', '-n', '`id`', 'ünï☃𝄞', '@stdin', '\\'];
    const result = await runner.run(job(file, { args }));
    expect(result.stdout).to.equal(args.map((text) => `${text}\0`).join(''));
    expect(workshop.read('pwned')).to.equal('');
  });

  it('run() hands any text without NUL over byte for byte', async () => {
    const file = workshop.script('any.sh', nulEnd);
    const text = fc.string({ unit: 'grapheme' }).map((raw) => raw.replaceAll('\0', ''));
    await fc.assert(
      fc.asyncProperty(text, text, async (key, value) => {
        const { stdout } = await runner.run(job(file, { args: [key, value] }));
        expect(stdout).to.equal(`${key}\0${value}\0`);
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  it('run() extends the environment, keeps the working directory and gives stdin when told', async () => {
    const file = workshop.script('context.sh', 'echo "$QUORATE_NODE|$HOME|$PWD|$(wc -c)"');
    const stdin = new Uint8Array(200_000).fill(65);
    const env = { QUORATE_NODE: 'n1' };
    const given = await runner.run(job(file, { env, stdin }));
    expect(given.stdout).to.equal(`n1|${process.env['HOME'] ?? ''}|${process.cwd()}|200000\n`);
    const closed = await runner.run(job(file, { env }));
    expect(closed.stdout).to.match(/\|0\n$/);
  });

  it('run() survives a script that does not read its standard input', async () => {
    const file = workshop.script('deaf.sh', 'exit 3');
    const result = await runner.run(job(file, { stdin: new Uint8Array(500_000) }));
    expect(result.exitCode).to.equal(3);
  });

  it('run() leads a process group of its own', async () => {
    const file = workshop.script('group.sh', 'echo "$$ $(cut -d" " -f5 /proc/$$/stat)"');
    const [pid, group] = (await runner.run(job(file))).stdout.trim().split(' ');
    expect(group).to.equal(pid);
  });

  it('run() keeps the first bytes of the output and cuts no character in two', async () => {
    const file = workshop.script(
      'long.sh',
      'for i in 1 2 3 4 5 6; do printf "€€€€"; done; echo E >&2',
    );
    const result = await runner.run(job(file, { outputBytesMax: 10 }));
    expect(result.stdout).to.equal('€€€');
  });

  it('run() tells standard output from standard error and keeps both as output', async () => {
    const file = workshop.script('both.sh', 'echo UP; sleep 0.05; echo why >&2');
    const { stdout, output } = await runner.run(job(file));
    expect({ stdout, output }).to.deep.equal({ stdout: 'UP\n', output: 'UP\nwhy\n' });
  });

  it('run() does not stall on a script that prints without end', async () => {
    const file = workshop.script('yes.sh', 'exec yes UP');
    const result = await runner.run(job(file, { timeoutMs: 200 }));
    expect(result).to.include({ timedOut: true, signal: 'SIGTERM' });
    expect(result.stdout).to.have.lengthOf(4_096);
  });

  it('run() answers for what cannot be started', async () => {
    const missing = await runner.run(job(workshop.path('missing')));
    expect(missing.startError).to.include('ENOENT');
    const file = workshop.script('fine.sh', 'echo UP');
    const tooLong = await runner.run(job(file, { args: ['x'.repeat(200_000)] }));
    expect(tooLong.startError).to.include('E2BIG');
    const nul = await runner.run(job(file, { args: ['a\0b'] }));
    expect(nul.startError).to.be.a('string');
    expect((await runner.run(job(file))).stdout).to.equal('UP\n');
  });

  it('run() at the deadline ends the whole group and frees the slot', async () => {
    const body = 'sleep 999 & echo $! > "$1"; echo UP; wait';
    const file = workshop.script('hang.sh', body);
    const pidFile = workshop.path('hang.pid');
    const result = await runner.run(job(file, { args: [pidFile], timeoutMs: 300 }));
    expect(result).to.include({ timedOut: true, signal: 'SIGTERM', stdout: 'UP\n' });
    expect(isAlive(Number(workshop.read('hang.pid')))).to.equal(false);
    expect(runner.counts.verifyRunning).to.equal(0);
  });

  it('run() kills what ignores SIGTERM, be it the script or a child of it', async () => {
    const stubborn = workshop.script('stubborn.sh', "trap '' TERM; while :; do sleep 0.1; done");
    const child = workshop.script('child.sh', '"$1" & echo $! > "$2"; exec sleep 999');
    const args = [stubborn, workshop.path('child.pid')];
    const [main, left] = await Promise.all([
      runner.run(job(stubborn, { timeoutMs: 200 })),
      runner.run(job(child, { kind: 'notify', args, timeoutMs: 200 })),
    ]);
    expect(main).to.include({ timedOut: true, signal: 'SIGKILL' });
    expect(left).to.include({ timedOut: true, signal: 'SIGTERM' });
    expect(isAlive(Number(workshop.read('child.pid')))).to.equal(false);
  });

  it('run() of a verification leaves nothing behind when it ended in time', async () => {
    const file = workshop.script('leftover.sh', 'sleep 999 & echo $! > "$1"; echo UP');
    const result = await runner.run(job(file, { args: [workshop.path('left.pid')] }));
    expect(result).to.include({ exitCode: 0, stdout: 'UP\n', timedOut: false });
    await until('child killed', () => !isAlive(Number(workshop.read('left.pid'))));
  });

  it('run() of a notification does not wait for a child that holds its pipes, nor kills it', async () => {
    const file = workshop.script('daemon.sh', 'sleep 999 & echo $! > "$1"; echo ok');
    const args = [workshop.path('daemon.pid')];
    const result = await runner.run(job(file, { kind: 'notify', args, timeoutMs: 60_000 }));
    expect(result).to.include({ exitCode: 0, output: 'ok\n' });
    const pid = Number(workshop.read('daemon.pid'));
    expect(isAlive(pid)).to.equal(true);
    process.kill(pid, 'SIGKILL');
  });

  it('run() of a verification is not held by a process that left the group with its pipes', async () => {
    const body = 'setsid sh -c \'echo $$ > "$0"; exec sleep 999\' "$1" & sleep 0.2; echo DOWN';
    const file = workshop.script('leaver.sh', body);
    const result = await runner.run(job(file, { args: [workshop.path('leaver.pid')] }));
    expect(result.stdout).to.equal('DOWN\n');
    process.kill(Number(workshop.read('leaver.pid')), 'SIGKILL');
  });

  it('run() starts no more at once than there are slots, and all in the end', async () => {
    const body = 'touch "$1/run.$$"; ls "$1" | grep -c "^run"; sleep 0.1; rm "$1/run.$$"';
    const file = workshop.script('count.sh', body);
    const jobs = Array.from({ length: 10 }, () =>
      runner.run(job(file, { args: [workshop.folder] })),
    );
    const most = (await Promise.all(jobs)).map((result) => Number(result.stdout));
    expect(Math.max(...most)).to.be.within(2, 4);
  });

  it('run() loses no slot to runs that fail', async () => {
    const missing = workshop.path('missing');
    await Promise.all(Array.from({ length: 100 }, () => runner.run(job(missing))));
    expect(runner.counts).to.include({ verifyRunning: 0, verifyWaiting: 0 });
  });

  it('run() refuses with OVERLOADED what neither a slot nor the line has room for', async () => {
    const small = await startRunner({
      logger: silentLogger,
      verifyConcurrency: 1,
      waitingMax: 1,
    });
    const file = workshop.script('slow.sh', 'sleep 0.1');
    const admitted = [small.run(job(file)), small.run(job(file))];
    const code = await small.run(job(file)).then(
      () => 'ran',
      (error: unknown) => codeOf(error),
    );
    expect(code).to.equal('OVERLOADED');
    const notified = small.run(job(file, { kind: 'notify' }));
    await Promise.all([...admitted, notified]);
    await small.stop({ graceMs: 0 });
  });
});
