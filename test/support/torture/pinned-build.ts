import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mainFile } from '../e2e/index.ts';

/** A copy of the build, so that no later build reaches daemons that start again; its main file. */
export function pinBuild(directory: string): string {
  const root = dirname(dirname(mainFile()));
  mkdirSync(directory, { recursive: true });
  for (const name of ['dist', 'proto', 'package.json']) {
    cpSync(join(root, name), join(directory, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  return join(directory, 'dist', 'main.js');
}

/** Puts a bug into a file of a copy: throws unless `from` is there once. */
export function patchBuild(main: string, path: string, from: string, to: string): void {
  const file = join(dirname(main), path);
  const parts = readFileSync(file, 'utf8').split(from);
  if (parts.length !== 2) {
    throw new Error(`Cannot patch ${path}: found ${parts.length - 1} times ${from}`);
  }
  writeFileSync(file, parts.join(to));
}
