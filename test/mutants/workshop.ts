import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { applyPatch, parsePatch } from './patch.ts';
import type { Patch } from './patch.ts';

const root = path.resolve(import.meta.dirname, '../..');
const patchDirectory = path.join(import.meta.dirname, 'patches');
/** All that a simulation needs. */
const parts = ['src', 'proto', 'package.json', 'tsconfig.json', 'test/support', 'test/mutants'];

/** All mutants, in the order of their names. */
export function readPatches(): readonly Patch[] {
  const names = fs.readdirSync(patchDirectory).filter((name) => name.endsWith('.patch'));
  return names.sort().map((name) => {
    const text = fs.readFileSync(path.join(patchDirectory, name), 'utf8');
    return parsePatch(name.replace('.patch', ''), text);
  });
}

/** What the files of the project become with this patch. Throws when it does not apply. */
export const changesOf = (patch: Patch): ReadonlyMap<string, string> =>
  applyPatch(patch, (file) => fs.readFileSync(path.join(root, file), 'utf8'));

/** A copy of the project in a directory of its own, with the patch when there is one. */
export function makeCopy(patch: Patch | null): string {
  const changes = patch === null ? new Map<string, string>() : changesOf(patch);
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'quorate-mutant-'));
  for (const part of parts) {
    fs.cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  for (const [file, text] of changes) fs.writeFileSync(path.join(copy, file), text);
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  return copy;
}

export const removeCopy = (copy: string): void => fs.rmSync(copy, { recursive: true, force: true });
