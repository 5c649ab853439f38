import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { mainFile, projectRoot } from '../e2e/index.ts';

/** A copy of the build, so that no later build reaches daemons that start again; its main file. */
export function pinBuild(directory: string): string {
  const { QUORATE_MAIN: other } = process.env;
  if (other !== undefined) return other;
  mainFile();
  mkdirSync(directory, { recursive: true });
  for (const name of ['dist', 'proto', 'package.json']) {
    cpSync(join(projectRoot, name), join(directory, name), { recursive: true });
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(directory, 'node_modules'));
  return join(directory, 'dist', 'main.js');
}
