import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer, Ask } from './http.ts';
import { ask, query } from './http.ts';
import { waitFor } from './wait-for.ts';

export const projectRoot = fileURLToPath(new URL('../../..', import.meta.url));
export const scriptsDirectory = fileURLToPath(new URL('./scripts', import.meta.url));

let builtMain: string | null = null;

/** The built `dist/main.js`, built anew when sources changed; QUORATE_MAIN names another build. */
export function mainFile(): string {
  builtMain ??= process.env['QUORATE_MAIN'] ?? build();
  return builtMain;
}

function build(): string {
  execFileSync(process.execPath, [join(projectRoot, 'scripts', 'setup.mjs')], { stdio: 'inherit' });
  return join(projectRoot, 'dist', 'main.js');
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

interface ChildOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Takes the output; without it the child has pipes. */
  readonly logFile?: string;
}

/** Starts a process that does not outlive this one. */
export function startChild(command: readonly string[], options: ChildOptions): ChildProcess {
  const [program = '', ...args] = command;
  const file = options.logFile === undefined ? null : openSync(options.logFile, 'a');
  const output = file ?? 'pipe';
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', output, output],
  });
  if (file !== null) closeSync(file);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Settings of whoever runs the tests must not reach the daemons. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !/^(QUORATE_|NODE_)/.test(name)));
}

export interface DaemonExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface DaemonInit {
  readonly id: string;
  readonly dataDirectory: string;
  /** Where the process runs. */
  readonly cwd: string;
  readonly ports: DaemonPorts;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Program and arguments that start the daemon in turn, such as `unshare`. */
  readonly wrapper?: readonly string[];
  /** Where it listens; 127.0.0.1 unless given. */
  readonly host?: string;
  /** Another build than `mainFile()`. */
  readonly main?: string;
  /** Its output is added to this file instead of being kept in memory. */
  readonly logFile?: string;
}

export interface DaemonPorts {
  readonly http: number;
  readonly raft: number;
  readonly gossip: number;
}

const stopMsMax = 20_000;
const outputCharsMax = 4_000_000;

/** One `quorate serve` with its data directory; may be started and ended many times. */
export class Daemon {
  readonly #init: DaemonInit;
  #ports: DaemonPorts;
  #child: ChildProcess | null = null;
  #exit: Promise<DaemonExit> = Promise.resolve({ code: null, signal: null });
  #output = '';

  constructor(init: DaemonInit) {
    this.#init = init;
    this.#ports = init.ports;
  }

  get id(): string {
    return this.#init.id;
  }

  get dataDirectory(): string {
    return this.#init.dataDirectory;
  }

  get http(): string {
    return this.#address(this.#ports.http);
  }

  get raft(): string {
    return this.#address(this.#ports.raft);
  }

  get gossip(): string {
    return this.#address(this.#ports.gossip);
  }

  #address(port: number): string {
    return `${this.#init.host ?? '127.0.0.1'}:${port}`;
  }

  get ports(): DaemonPorts {
    return this.#ports;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined)
      throw new Error(`Cannot name the process of ${this.id}: it is not there`);
    return pid;
  }

  /** All that it wrote in all its lives. */
  get output(): string {
    return this.#output;
  }

  /** Settles when the process of the latest start has ended. */
  get exit(): Promise<DaemonExit> {
    return this.#exit;
  }

  start(extraFlags: readonly string[] = []): void {
    if (this.isRunning) throw new Error(`Cannot start ${this.id}: it runs`);
    const { id, dataDirectory, flags, env, wrapper = [], cwd } = this.#init;
    const { http, raft, gossip } = this;
    const own = [
      `--node=${id}`,
      `--dataDir=${dataDirectory}`,
      `--http=${http}`,
      `--raft=${raft}`,
      `--gossip=${gossip}`,
    ];
    const main = this.#init.main ?? mainFile();
    const command = [...wrapper, process.execPath, main, 'serve'];
    const { logFile } = this.#init;
    const output = logFile === undefined ? {} : { logFile };
    const options = { cwd, env, ...output };
    this.#attend(startChild([...command, ...own, ...flags, ...extraFlags], options));
  }

  /** Takes other ports from the next start on. */
  move(ports: DaemonPorts): void {
    this.#ports = ports;
  }

  /** SIGTERM; the exit code. */
  async stop(): Promise<number | null> {
    const { code } = await this.#end('SIGTERM');
    return code;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Forgets the data; it must not run. */
  wipe(): void {
    if (this.isRunning) throw new Error(`Cannot wipe ${this.id}: it runs`);
    rmSync(this.dataDirectory, { recursive: true, force: true });
  }

  ask(path: string, options: Ask = {}): Promise<Answer> {
    return ask(`http://${this.http}${path}`, options);
  }

  /** The JSON that this path answers with 200. */
  async json<T>(path: string): Promise<T> {
    const { status, text } = await this.ask(path);
    if (status !== 200) throw new Error(`${this.id} answers ${status} to ${path}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** Asks a changing route once; throws unless it answers `ok`. */
  async change(
    route: string,
    parameters: Readonly<Record<string, string | number | undefined>>,
  ): Promise<void> {
    const { status, text } = await this.ask(`${route}?${query(parameters)}`, { method: 'POST' });
    if (status === 200 && text === 'ok\n') return;
    throw new Error(`${this.id} answers ${status} to ${route}: ${text}`);
  }

  set(key: string, value: string): Promise<void> {
    return this.change('/set', { key, value });
  }

  del(key: string): Promise<void> {
    return this.change('/del', { key });
  }

  /** The value byte for byte as text; null when there is none. */
  async get(key: string, consistency?: 'local' | 'linearizable'): Promise<string | null> {
    const { status, text } = await this.ask(`/get?${query({ key, consistency, raw: 1 })}`);
    if (status === 200) return text;
    if (status === 404) return null;
    throw new Error(`${this.id} answers ${status} to /get: ${text}`);
  }

  async isReady(): Promise<boolean> {
    return (await this.ask('/readyz')).status === 200;
  }

  /** Waits for a line of the log, written since the mark that `output.length` gave. */
  async said(text: string | RegExp, sinceMark = 0): Promise<void> {
    const pattern = typeof text === 'string' ? { test: (log: string) => log.includes(text) } : text;
    await waitFor(`${this.id} says ${String(text)}`, () =>
      pattern.test(this.#output.slice(sinceMark)),
    );
  }

  #attend(child: ChildProcess): void {
    this.#child = child;
    this.#output += `--- start of ${this.id}, process ${child.pid ?? 0}\n`;
    const keep = (chunk: Buffer): void => {
      if (this.#output.length < outputCharsMax) this.#output += chunk.toString('utf8');
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.#exit = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#output += `${error.message}\n`;
        this.#child = null;
        resolve({ code: null, signal: null });
      });
      child.once('exit', (code, signal) => {
        this.#output += `--- end of ${this.id}: ${signal ?? String(code)}\n`;
        this.#child = null;
      });
      // By then all output is here.
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  async #end(signal: NodeJS.Signals): Promise<DaemonExit> {
    const child = this.#child;
    if (child === null) return this.#exit;
    child.kill(signal);
    const killer = setTimeout(() => {
      this.#output += `--- ${this.id} did not end after ${signal}\n`;
      child.kill('SIGKILL');
    }, stopMsMax);
    try {
      return await this.#exit;
    } finally {
      clearTimeout(killer);
    }
  }
}
