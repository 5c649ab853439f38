import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scriptsDirectory } from './daemon.ts';

/** What scripts/notify.sh noted about one run. */
export interface NotifyRun {
  readonly node: string;
  readonly eventId: number;
  readonly token: string;
  readonly prevStatus: string;
  readonly attempt: number;
  readonly valueRevision: number;
  readonly stdin: string;
  readonly args: readonly string[];
}

/** The runs of scripts/notify.sh and what the next ones shall do. */
export class NotifyRuns {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  get env(): Readonly<Record<string, string>> {
    return { E2E_RUNS: this.directory };
  }

  /** In the order of their tokens and attempts. */
  all(): NotifyRun[] {
    const names = readdirSync(this.directory).filter((name) => !name.startsWith('.'));
    const runs = names.map((name) => parseRun(readFileSync(join(this.directory, name), 'utf8')));
    return runs.sort((a, b) => a.token.localeCompare(b.token) || a.attempt - b.attempt);
  }

  of(key: string): NotifyRun[] {
    return this.all().filter(({ args }) => args.at(-3) === key);
  }

  /** Runs for this key do not end until `release`. */
  hold(key: string): void {
    writeFileSync(this.#file(`.hold-${key}`), '');
  }

  release(key: string): void {
    rmSync(this.#file(`.hold-${key}`));
  }

  /** Runs for this key end with this code from now on. */
  exitWith(key: string, code: number): void {
    replaceFile(this.#file(`.exit-${key}`), `${code}\n`);
  }

  #file(name: string): string {
    return join(this.directory, name);
  }
}

function parseRun(text: string): NotifyRun {
  const fields = text.split('\0').slice(0, -1);
  const [node = '', eventId, token = '', prevStatus = '', attempt, valueRevision, stdin = ''] =
    fields;
  return {
    node,
    eventId: Number(eventId),
    token,
    prevStatus,
    attempt: Number(attempt),
    valueRevision: Number(valueRevision),
    stdin,
    args: fields.slice(7),
  };
}

/** In one step: a reader sees the old text or the new one. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const script = (name: string): string =>
  `'${join(scriptsDirectory, name).replaceAll("'", `'\\''`)}'`;

/** Both test scripts, and verifications so often that an agreement takes about a second. */
export const watchFlags: readonly string[] = [
  `--verificationScript=${script('verify.sh')}`,
  `--notificationScript=${script('notify.sh')}`,
  '--verifyInterval=300ms',
  '--verifyTimeout=3s',
  '--verifySamples=2',
  '--verifyWindow=3',
];
