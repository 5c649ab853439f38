import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { startChild } from './daemon.ts';
import { waitFor } from './wait-for.ts';

const isolate = ['unshare', '--mount', '--map-root-user'];
const pieceBytes = 1024 * 1024;

/** A file system of its own in memory, seen only by processes that are started through it. */
export class SmallDisk {
  readonly path: string;
  readonly #holder: ChildProcess;

  private constructor(path: string, holder: ChildProcess) {
    this.path = path;
    this.#holder = holder;
  }

  /** False where this user may not mount anything. */
  static get isPossible(): boolean {
    const [program = '', ...args] = isolate;
    return spawnSync(program, [...args, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
  }

  static async create(path: string, megabytes: number): Promise<SmallDisk> {
    mkdirSync(path, { recursive: true });
    const script = 'mount -t tmpfs -o "size=$0m" tmpfs "$1" && echo mounted && exec sleep infinity';
    const command = [...isolate, 'bash', '-c', script, String(megabytes), path];
    const holder = startChild(command, { cwd: '/', env: {} });
    let said = '';
    holder.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    await waitFor(`${path} is mounted`, () => said === 'mounted\n');
    return new SmallDisk(path, holder);
  }

  /** What starts a process that sees the disk. */
  get wrapper(): readonly string[] {
    const target = ['--target', String(this.#holder.pid)];
    return ['nsenter', ...target, '--mount', '--user', '--preserve-credentials', '--'];
  }

  /** What is in a directory of the disk. */
  list(directory: string): readonly string[] {
    return readdirSync(`${this.#root}/${directory}`);
  }

  /** Writes a file until no byte more fits, or only so many MiB. */
  fill(leftMegabytes = 0): void {
    const file = openSync(this.#filler, 'w');
    try {
      for (let size = pieceBytes; size >= 1; size = Math.floor(size / 2)) fillWith(file, size);
      const { size } = fstatSync(file);
      ftruncateSync(file, size - leftMegabytes * pieceBytes);
    } finally {
      closeSync(file);
    }
  }

  /** Gives the room back that `fill` took. */
  free(): void {
    rmSync(this.#filler);
  }

  close(): void {
    this.#holder.kill('SIGKILL');
  }

  get #filler(): string {
    return `${this.#root}/filler`;
  }

  get #root(): string {
    return `/proc/${String(this.#holder.pid)}/root${this.path}`;
  }
}

function fillWith(file: number, size: number): void {
  const piece = new Uint8Array(size);
  try {
    for (;;) writeSync(file, piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
