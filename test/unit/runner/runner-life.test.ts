import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { expect } from 'chai';
import { startRunner } from '../../../src/runner/index.ts';
import type { RunnerExit, ScriptRunner } from '../../../src/runner/index.ts';
import { codeOf } from '../../../src/shared/index.ts';
import { isAlive, job, silentLogger, until, Workshop } from './support.ts';

const pidOf = (workshop: Workshop, name: string): number => Number(workshop.read(name));

describe('ScriptRunner life', () => {
  const workshop = new Workshop();
  const runners: ScriptRunner[] = [];
  const daemons: ChildProcess[] = [];
  const long = workshop.script('long.sh', 'echo $$ $PPID > "$1.tmp"; mv "$1.tmp" "$1"; sleep "$2"');
  const done = workshop.script('done.sh', 'echo $$ $PPID > "$1"; sleep "$2"; echo end > "$3"');

  after(async () => {
    for (const daemon of daemons) daemon.kill('SIGKILL');
    await Promise.all(runners.map((runner) => runner.stop({ graceMs: 0 })));
    workshop.clear();
  });

  async function open(onExit?: (exit: RunnerExit) => void): Promise<ScriptRunner> {
    const life = onExit ? { onExit } : {};
    const runner = await startRunner({ logger: silentLogger, verifyConcurrency: 4, ...life });
    runners.push(runner);
    return runner;
  }

  /** Pids of a script and of the runner process above it, once the script wrote them. */
  async function pidsFrom(name: string): Promise<readonly [script: number, runner: number]> {
    await until(`${name} written`, () => workshop.read(name).includes('\n'));
    const [script = 0, runner = 0] = workshop.read(name).trim().split(' ').map(Number);
    return [script, runner];
  }

  it('stop() kills verifications, lets a notification end and refuses what comes after', async () => {
    const runner = await open();
    const verify = runner.run(job(long, { args: [workshop.path('stop.v'), '999'] }));
    const args = [workshop.path('stop.n'), '0.3'];
    const notify = runner.run(job(long, { kind: 'notify', args }));
    const [pid] = await pidsFrom('stop.v');
    await pidsFrom('stop.n');
    await runner.stop({ graceMs: 5_000 });
    expect((await verify).lost).to.be.a('string');
    expect(await notify).to.include({ exitCode: 0, lost: null });
    expect(isAlive(pid)).to.equal(false);
    const code = await runner.run(job(long)).catch((error: unknown) => codeOf(error));
    expect(code).to.equal('STOPPED');
  });

  it('stop() leaves a notification that outlasts its grace to end by itself', async () => {
    const runner = await open();
    const args = [workshop.path('grace.n'), '0.5', workshop.path('grace.end')];
    const notify = runner.run(job(done, { kind: 'notify', args }));
    const [, runnerPid] = await pidsFrom('grace.n');
    await runner.stop({ graceMs: 50 });
    expect((await notify).lost).to.be.a('string');
    await until('notification ended', () => workshop.read('grace.end') === 'end\n');
    await until('runner gone', () => !isAlive(runnerPid));
  });

  it('startRunner() starts a dead runner process again and answers for what it ran', async () => {
    const exits: RunnerExit[] = [];
    const runner = await open((exit) => exits.push(exit));
    const verify = runner.run(job(long, { args: [workshop.path('dead.v'), '999'] }));
    const args = [workshop.path('dead.n'), '0.4', workshop.path('dead.end')];
    const notify = runner.run(job(done, { kind: 'notify', args }));
    const [verifyPid, runnerPid] = await pidsFrom('dead.v');
    await pidsFrom('dead.n');
    process.kill(runnerPid, 'SIGKILL');
    expect((await verify).lost).to.equal('its runner process died');
    expect(isAlive(verifyPid)).to.equal(false);
    expect((await notify).lost).to.equal('its runner process died');
    expect(workshop.read('dead.end'), 'the orphan ended before its result').to.equal('end\n');
    const next = await runner.run(job(long, { args: [workshop.path('dead.again'), '0'] }));
    expect(next.exitCode).to.equal(0);
    expect(exits).to.deep.equal([{ code: null, signal: 'SIGKILL' }]);
    expect(runner.counts.restarts).to.equal(1);
  });

  it('the runner process shrugs at the signals of a terminal', async () => {
    const runner = await open();
    const run = runner.run(job(long, { args: [workshop.path('ctrl-c'), '0.2'] }));
    const [, runnerPid] = await pidsFrom('ctrl-c');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(runnerPid, signal);
    expect((await run).exitCode).to.equal(0);
    expect(runner.counts.restarts).to.equal(0);
  });

  /** A process with a runner of its own, which runs one verification and one notification. */
  function startDaemon(name: string): ChildProcess {
    const source = `
      import { startRunner } from ${JSON.stringify(new URL('../../../src/runner/index.ts', import.meta.url).href)};
      const noop = () => undefined;
      const logger = { debug: noop, info: noop, warn: noop, error: noop };
      const runner = await startRunner({ logger, verifyConcurrency: 2 });
      const common = { env: {}, stdin: null, timeoutMs: 20_000 };
      const path = (end) => process.env.BASE + end;
      void runner.run({ ...common, kind: 'verify', file: process.env.LONG, args: [path('.v'), '999'] });
      void runner.run({ ...common, kind: 'notify', file: process.env.DONE, args: [path('.n'), '0.5', path('.end')] });
    `;
    const flags = [...process.execArgv, '--input-type=module', '-e', source];
    const env = { ...process.env, BASE: workshop.path(name), LONG: long, DONE: done };
    const daemon = spawn(process.execPath, flags, { env, stdio: 'inherit' });
    daemons.push(daemon);
    return daemon;
  }

  it('a killed daemon takes its verifications along; its notification ends, then the runner', async () => {
    const daemon = startDaemon('daemon');
    const [verifyPid, runnerPid] = await pidsFrom('daemon.v');
    await pidsFrom('daemon.n');
    daemon.kill('SIGKILL');
    await until('verification killed', () => !isAlive(verifyPid));
    expect(isAlive(runnerPid), 'the runner waits for the notification').to.equal(true);
    await until('notification ended', () => workshop.read('daemon.end') === 'end\n');
    await until('runner gone', () => !isAlive(runnerPid));
    expect(isAlive(pidOf(workshop, 'daemon.n'))).to.equal(false);
  });
});
