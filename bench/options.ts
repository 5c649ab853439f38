import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url));

const parts = ['writes', 'reads', 'failover', 'memory'] as const;
export type Part = (typeof parts)[number];

export interface Options {
  /** Measured seconds of each load, after the warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly failovers: number;
  readonly connections: readonly number[];
  readonly parts: ReadonlySet<Part>;
  /** Program of the nodes that are measured. */
  readonly program: string;
  /** Program of a second cluster; the loads alternate between both. */
  readonly against: string | null;
  /** Whether a cluster of etcd is measured in the same run. */
  readonly compare: boolean;
  /** Minutes of full load with stalls; null: not asked for. */
  readonly soakMinutes: number | null;
  /** A million keys, and a snapshot of them. */
  readonly big: boolean;
  readonly jsonPath: string;
}

export const usage = `Usage: npm run bench -- [options]
  --quick              one short round
  --seconds=5          measured seconds of each load
  --warm-up=2          seconds before them
  --rounds=3           the table shows medians
  --connections=1,16,64,256
  --only=PARTS         some of ${parts.join(',')}
  --program=PATH       main.js to measure, dist/main.js by default
  --against=PATH       main.js of another build, measured in turn
  --compare            measure etcd in turn too; it must be on the PATH
  --failover=300       only kill the leader, so many times (5 in a whole run)
  --soak=30            only load for so many minutes, with one follower stalled each minute
  --big                only a million keys: memory, restart, a snapshot of 2 GB
  --json=PATH          where the figures go, bench/results/latest.json by default`;

/** Throws an Error that says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      rounds: { type: 'string' },
      failover: { type: 'string' },
      soak: { type: 'string' },
      big: { type: 'boolean', default: false },
      connections: { type: 'string', default: '1,16,64,256' },
      only: { type: 'string', default: parts.join(',') },
      program: { type: 'string', default: `${projectRoot}dist/main.js` },
      against: { type: 'string' },
      compare: { type: 'boolean', default: false },
      json: { type: 'string', default: `${projectRoot}bench/results/latest.json` },
    },
  });
  const { quick } = values;
  return {
    seconds: positive('seconds', values.seconds ?? (quick ? '2' : '5')),
    warmUpSeconds: positive('warm-up', values['warm-up'] ?? (quick ? '1' : '2')),
    rounds: positive('rounds', values.rounds ?? (quick ? '1' : '3')),
    failovers: positive('failover', values.failover ?? (quick ? '2' : '5')),
    connections: values.connections.split(',').map((one) => positive('connections', one)),
    parts: new Set(
      values.failover === undefined ? values.only.split(',').map(partOf) : ['failover'],
    ),
    program: values.program,
    against: values.against ?? null,
    compare: values.compare,
    soakMinutes: values.soak === undefined ? null : positive('soak', values.soak),
    big: values.big,
    jsonPath: values.json,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 3600) return value;
  throw new Error(`Cannot run with --${name}=${text}: accepted is a whole number from 1 to 3600`);
}

function partOf(text: string): Part {
  const part = parts.find((one) => one === text);
  if (part !== undefined) return part;
  throw new Error(`Cannot run with --only=${text}: accepted are ${parts.join(', ')}`);
}
