import { QuorateError } from '../shared/index.ts';
import { environmentName, flags } from './flags.ts';
import type { FieldName, Fields } from './schema.ts';
import { fieldSchemas } from './schema.ts';

/** Where a value came from, for messages and for "explicitly different". */
type Source = 'flag' | 'environment' | 'file' | 'default';

/** All settings of `quorate serve`: parsed, related, frozen. Times in milliseconds. */
export interface Config extends Readonly<Fields> {
  /** Names that were given by flag, environment or file. */
  readonly explicit: ReadonlySet<FieldName>;
}

/** Text values by flag name. */
export type Layer = Readonly<Partial<Record<FieldName, string>>>;

interface ConfigLayers {
  readonly flags: Layer;
  readonly environment: Layer;
  readonly file: Layer;
  /** Output goes to a terminal: decides the default of logFormat. */
  readonly isTerminal: boolean;
}

export const fieldNames = Object.keys(fieldSchemas) as readonly FieldName[];

/**
 * Fields, then relations, then frozen. Flag > environment > file > default.
 * Throws CONFIG_INVALID: one line naming the flag, what was found and what is accepted.
 */
export function parseConfig(layers: ConfigLayers): Config {
  const text = withDefaults(layers);
  const values: Record<string, unknown> = {};
  for (const name of fieldNames)
    values[name] = parseField(name, text[name], sourceOf(name, layers));
  const explicit = new Set(fieldNames.filter((name) => sourceOf(name, layers) !== 'default'));
  const config = { ...fitVerifyTimeout(values as Fields, explicit), explicit };
  checkRelations(config);
  return Object.freeze(config);
}

/** A default never makes a given interval impossible. */
function fitVerifyTimeout(fields: Fields, explicit: ReadonlySet<FieldName>): Fields {
  if (explicit.has('verifyTimeout')) return fields;
  return { ...fields, verifyTimeout: Math.min(fields.verifyTimeout, 10 * fields.verifyInterval) };
}

function sourceOf(name: FieldName, layers: ConfigLayers): Source {
  if (layers.flags[name] !== undefined) return 'flag';
  if (layers.environment[name] !== undefined) return 'environment';
  return layers.file[name] !== undefined ? 'file' : 'default';
}

function withDefaults(layers: ConfigLayers): Record<FieldName, string> {
  const given = { ...layers.file, ...layers.environment, ...layers.flags };
  const text = Object.fromEntries(flags.map((flag) => [flag.name, flag.defaultText]));
  const node = given.node ?? 'node1';
  return {
    ...(text as Record<FieldName, string>),
    dataDir: `./${node}`,
    logFormat: layers.isTerminal ? 'pretty' : 'json',
    ...given,
    advertiseHttp: given.advertiseHttp ?? given.http ?? '127.0.0.1:6000',
    advertiseRaft: given.advertiseRaft ?? given.raft ?? '127.0.0.1:7000',
    advertiseGossip: given.advertiseGossip ?? given.gossip ?? '127.0.0.1:8000',
  };
}

function parseField(name: FieldName, text: string, source: Source): unknown {
  const parsed = fieldSchemas[name].safeParse(text);
  if (parsed.success) return parsed.data;
  const accepted = parsed.error.issues[0]?.message ?? 'another value';
  throw new QuorateError(
    'CONFIG_INVALID',
    `Cannot start with ${spelling(name, source)}: found ${JSON.stringify(text)}, accepted is ${accepted}`,
  );
}

function spelling(name: FieldName, source: Source): string {
  if (source === 'environment') return `--${name} (from ${environmentName(name)})`;
  return source === 'file' ? `--${name} (from the configuration file)` : `--${name}`;
}

type Relation = (config: Omit<Config, 'explicit'>) => string | null;

const seconds = (ms: number): string => `${ms / 1000}s`;

const relations: readonly Relation[] = [
  ({ verifyTimeout, verifyInterval }) =>
    verifyTimeout <= 10 * verifyInterval
      ? null
      : `--verifyTimeout: found ${seconds(verifyTimeout)}, accepted is at most ten times ` +
        `--verifyInterval (${seconds(verifyInterval)})`,
  ({ verifySamples, verifyWindow }) =>
    verifySamples <= verifyWindow
      ? null
      : `--verifySamples: found ${verifySamples}, accepted is at most --verifyWindow (${verifyWindow})`,
  ({ http, raft, gossip }) =>
    http !== raft && raft !== gossip && http !== gossip
      ? null
      : `--http, --raft and --gossip: found ${http}, ${raft}, ${gossip}, accepted are three different addresses`,
  ({ bootstrap, observer }) =>
    bootstrap && observer
      ? '--observer: found together with --bootstrap, accepted is one of them: the first member must vote'
      : null,
];

function checkRelations(config: Omit<Config, 'explicit'>): void {
  for (const relation of relations) {
    const problem = relation(config);
    if (problem !== null) throw new QuorateError('CONFIG_INVALID', `Cannot start with ${problem}`);
  }
}
