import { QuorateError } from '../shared/index.ts';
import type { Layer } from './config.ts';
import { fieldNames } from './config.ts';
import { environmentName, kebab } from './flags.ts';
import type { FieldName } from './schema.ts';

const byKebab = new Map(fieldNames.map((name) => [kebab(name), name]));

/** The flag of this name in either spelling. */
export function flagNamed(name: string): FieldName | undefined {
  return fieldNames.find((candidate) => candidate === name) ?? byKebab.get(name);
}

/** Values of QUORATE_* variables. Others are ignored: scripts that start a daemon have some. */
export function environmentLayer(environment: Readonly<Record<string, string | undefined>>): Layer {
  const byVariable = new Map(fieldNames.map((name) => [environmentName(name), name]));
  const layer: Partial<Record<FieldName, string>> = {};
  for (const [variable, value] of Object.entries(environment)) {
    const name = byVariable.get(variable);
    if (name !== undefined && value !== undefined) layer[name] = value;
  }
  return layer;
}

/** Values of a parsed YAML document: a map of flag names to scalars or lists. */
export function fileLayer(document: unknown, path: string): Layer {
  if (document === null || document === undefined) return {};
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw invalid(path, 'something else', 'a map of flag names to values');
  }
  const layer: Partial<Record<FieldName, string>> = {};
  for (const [key, value] of Object.entries(document)) {
    const name = flagNamed(key);
    if (name === undefined)
      throw invalid(path, `the unknown key ${JSON.stringify(key)}`, acceptedKeys);
    layer[name] = scalarText(value, name, path);
  }
  return layer;
}

const acceptedKeys = 'a name of a flag of quorate serve --help';

function scalarText(value: unknown, name: string, path: string): string {
  if (Array.isArray(value)) return value.map((one) => scalarText(one, name, path)).join(',');
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  throw invalid(
    path,
    `${JSON.stringify(value)} for ${name}`,
    'a text, a number, a switch or a list',
  );
}

function invalid(path: string, found: string, accepted: string): QuorateError {
  return new QuorateError(
    'CONFIG_INVALID',
    `Cannot start with --config ${path}: found ${found}, accepted is ${accepted}`,
  );
}
