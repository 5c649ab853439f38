import { accessSync, constants, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { QuorateError } from '../shared/index.ts';

export interface CheckOptions {
  /** The flag that names the script, for the message: `--verificationScript`. */
  readonly flag: string;
  /** `PATH` for a program without a slash. */
  readonly searchPath: string;
}

const writableByOthers = 0o002;

/**
 * Finds the program as a process start would and returns its absolute path. Throws CONFIG_INVALID
 * when it is missing, no file, not executable or writable by others.
 */
export function checkScript(file: string, options: CheckOptions): string {
  const path = file.includes('/') ? resolve(file) : findInPath(file, options);
  const stats = statOf(path);
  if (!stats) refuse(path, options, 'there is no such file, accepted is an executable one');
  if (!stats.isFile()) refuse(path, options, 'it is no file, accepted is an executable one');
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  if (!isExecutable(path)) {
    refuse(path, options, `it is not executable (mode ${mode}), accepted is e.g. mode 0755`);
  }
  if ((stats.mode & writableByOthers) !== 0) {
    refuse(path, options, `it is writable by others (mode ${mode}), accepted is e.g. mode 0755`);
  }
  return path;
}

function findInPath(file: string, options: CheckOptions): string {
  const places = options.searchPath.split(delimiter).filter((place) => place !== '');
  const found = places.map((place) => join(place, file)).find((path) => isExecutable(path));
  if (found !== undefined) return resolve(found);
  return refuse(file, options, `there is none in PATH, accepted is a path like ./${file}`);
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statOf(path)?.isFile() === true;
  } catch {
    return false;
  }
}

function refuse(file: string, { flag }: CheckOptions, found: string): never {
  throw new QuorateError('CONFIG_INVALID', `Cannot use ${file} as ${flag}: ${found}`);
}
