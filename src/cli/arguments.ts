import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Command, CommanderError } from 'commander';
import { parse as parseYaml } from 'yaml';
import type { Config, FieldName, Layer } from '../config/index.ts';
import { environmentLayer, fileLayer, flagNamed, flags, parseConfig } from '../config/index.ts';
import { QuorateError } from '../shared/index.ts';

export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
}

/** A commander command with every flag of `quorate serve`. Values stay text until parseConfig. */
export function addServeFlags(command: Command): Command {
  for (const flag of flags) {
    const value = flag.value === null ? '[true|false]' : `<${flag.value}>`;
    const text = flag.defaultText === '' ? flag.help : `${flag.help} (default ${flag.defaultText})`;
    command.addOption(new Option(`--${flag.name} ${value}`, text));
  }
  return command.option('--config <FILE>', 'YAML file with flag names as keys');
}

/** `--kebab-case` becomes the flag's own spelling; everything else stays. */
export function normalizeArguments(argv: readonly string[]): string[] {
  return argv.map((argument) => {
    const match = /^--([a-z-]+)(=.*)?$/s.exec(argument);
    const name = match?.[1] === undefined ? undefined : flagNamed(match[1]);
    return name === undefined ? argument : `--${name}${match?.[2] ?? ''}`;
  });
}

/** Flags, environment and file, parsed. Throws CONFIG_INVALID. */
export function configFrom(options: Record<string, unknown>, environment: Environment): Config {
  const path = optionText(options['config']) ?? environment.variables['QUORATE_CONFIG'];
  return parseConfig({
    flags: flagLayer(options),
    environment: environmentLayer(environment.variables),
    file: path === undefined ? {} : readFileLayer(path),
    isTerminal: environment.isTerminal,
  });
}

function flagLayer(options: Record<string, unknown>): Layer {
  const layer: Partial<Record<FieldName, string>> = {};
  for (const [key, value] of Object.entries(options)) {
    const name = flagNamed(key);
    const text = optionText(value);
    if (name !== undefined && text !== undefined) layer[name] = text;
  }
  return layer;
}

function optionText(value: unknown): string | undefined {
  if (value === true) return 'true';
  return typeof value === 'string' ? value : undefined;
}

function readFileLayer(path: string): Layer {
  let document: unknown;
  try {
    document = parseYaml(readFileSync(path, 'utf8'));
  } catch (cause) {
    const found = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'an error';
    throw new QuorateError('CONFIG_INVALID', `Cannot start with --config ${path}: ${found}`, {
      cause,
    });
  }
  return fileLayer(document, path);
}

/** One line for a refusal of commander's own (unknown flag, missing value). */
export function usageMessage(error: CommanderError): string {
  const text = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  const unknown = /unknown option '--?([^'=]*)/.exec(text)?.[1];
  if (unknown === undefined) return `Cannot start: ${text}; see quorate serve --help`;
  return `Cannot start with --${unknown}: found an unknown flag, accepted are those of quorate serve --help`;
}
