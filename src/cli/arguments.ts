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
  return command
    .option('--config <FILE>', 'YAML file with flag names as keys')
    .addHelpText('after', notes);
}

const notes = `
TIME is in seconds, or carries a unit: 500ms, 10s, 5m, 1h.
Each flag is also an environment variable (QUORATE_VERIFY_INTERVAL) and a key of the YAML file;
flag beats environment beats file beats default.
gossipQuorum, minZones, eventInterval, eventHold, notifyOn, notifyTimeout and notifyRetries belong to
the whole cluster: its first start stores them, a node that is given another value changes them for all.
`;

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
    const [line = ''] = cause instanceof Error ? cause.message.split('\n') : ['an error'];
    const found = line.replace(/:$/, '');
    throw new QuorateError('CONFIG_INVALID', `Cannot start with --config ${path}: ${found}`, {
      cause,
    });
  }
  return fileLayer(document, path);
}

/** One line for a refusal of commander's own (unknown flag, missing value). */
export function usageMessage(error: CommanderError): string {
  const text = error.message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
  const unknown = /unknown option '--?([^'=]*)/.exec(text)?.[1];
  if (unknown !== undefined) return unknownFlag(unknown);
  const missing = /option '(--\w+) (<.*>)' argument missing/.exec(text);
  if (missing) return `Cannot start with ${missing[1]}: found no value, accepted is ${missing[2]}`;
  const invalid = /option '(--\w+) .*' argument '(.*)' is invalid\. (.*)/s.exec(text);
  if (invalid) return `Cannot start with ${invalid[1]}: found "${invalid[2]}", ${invalid[3]}`;
  return `Cannot start: ${text}; see quorate --help`;
}

function unknownFlag(name: string): string {
  const bare = (text: string): string => text.replaceAll('-', '').toLowerCase();
  const meant = flags.find((flag) => bare(flag.name) === bare(name));
  const accepted = meant
    ? `did you mean --${meant.name}`
    : 'accepted are those of quorate serve --help';
  return `Cannot start with --${name}: found an unknown flag, ${accepted}`;
}
