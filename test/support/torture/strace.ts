import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { waitFor } from '../e2e/index.ts';

/** One system call on a file or socket. Times are microseconds of the machine's clock. */
export interface SystemCall {
  readonly name: string;
  /** The path of the file, or `socket:[..]`. */
  readonly target: string;
  /** What went in or came out, cut at `bytesShown`. */
  readonly data: Buffer;
  readonly enteredAt: number;
  readonly returnedAt: number;
  /** Negative when it failed. */
  readonly result: number;
}

/** More of one call's bytes is not traced. */
export const bytesShown = 16_384;
const traced = 'read,write,writev,pwrite64,pwritev,sendto,sendmsg';

/** Why system calls cannot be traced here, or null. */
export function whyNoTrace(): string | null {
  const tryOut = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']);
  if (tryOut.error !== undefined) return 'there is no strace';
  return tryOut.status === 0 ? null : 'strace may not trace here';
}

/** Follows all threads of a running process and writes down what they read and write. */
export class Trace {
  readonly #file: string;
  readonly #child: ChildProcess;

  private constructor(file: string, child: ChildProcess) {
    this.#file = file;
    this.#child = child;
  }

  /** Resolves when every thread is followed. */
  static async attach(pid: number, file: string): Promise<Trace> {
    const times = ['-ttt', '-T'];
    const shape = ['-y', '-xx', '-s', String(bytesShown), '-e', `trace=${traced}`];
    const args = ['-f', ...times, ...shape, '-o', file, '-p', String(pid)];
    const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    await waitFor(`strace follows process ${pid}`, () => {
      if (child.exitCode !== null) throw new Error(`strace ended: ${said}`);
      return said.includes('attached');
    });
    return new Trace(file, child);
  }

  /** Lets the process go on alone; all that was traced, in the order of the calls' beginnings. */
  async end(): Promise<SystemCall[]> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGINT');
    await ended;
    return parseTrace(readFileSync(this.#file, 'latin1'));
  }
}

const begunElsewhere = / <unfinished \.\.\.>$/;
const continued = /^<\.\.\. \w+ resumed>(.*)$/s;

/** What `strace -f -ttt -T -y -xx` wrote. Lines of other kinds (signals, ends) are passed over. */
export function parseTrace(text: string): SystemCall[] {
  const unfinished = new Map<string, { readonly at: string; readonly begin: string }>();
  const calls: SystemCall[] = [];
  for (const line of text.split('\n')) {
    const [, thread = '', at = '', rest = ''] = /^(\d+) +(\d+\.\d{6}) (.*)$/s.exec(line) ?? [];
    if (begunElsewhere.test(rest)) {
      unfinished.set(thread, { at, begin: rest.replace(begunElsewhere, '') });
      continue;
    }
    const end = continued.exec(rest)?.[1];
    const begun = end === undefined ? { at, begin: rest } : unfinished.get(thread);
    if (begun === undefined) continue;
    const call = parseCall(begun.at, `${begun.begin}${end ?? ''}`);
    if (call !== null) calls.push(call);
  }
  return calls.sort((a, b) => a.enteredAt - b.enteredAt);
}

const wholeCall = /^(\w+)\(\d+<((?:\\x[0-9a-f]{2})*)>(.*)\) += (-?\d+)[^<]*<(\d+\.\d{6})>$/s;

function parseCall(at: string, text: string): SystemCall | null {
  const match = wholeCall.exec(text);
  if (match === null) return null;
  const [, name = '', target = '', args = '', result = '', took = ''] = match;
  const enteredAt = microseconds(at);
  return {
    name,
    target: bytesOf(target).toString('utf8'),
    data: Buffer.concat(
      [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, one = '']) => bytesOf(one)),
    ),
    enteredAt,
    returnedAt: enteredAt + microseconds(took),
    result: Number(result),
  };
}

const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');
const microseconds = (text: string): number => Number(text.replace('.', ''));
