import { z } from 'zod';

/** Bare seconds, or a number with ms, s, m or h. */
const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

function durationMs(text: string): number | undefined {
  const match = durationPattern.exec(text);
  if (match === null) return undefined;
  const unit = (match[2] ?? 's') as keyof typeof unitMs;
  return Math.round(Number(match[1]) * unitMs[unit]);
}

const duration = (minMs: number, maxMs: number) =>
  z.string().transform((text, context) => {
    const ms = durationMs(text);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    const accepted = `a duration from ${minMs / 1000}s to ${maxMs / 1000}s such as 10, 500ms, 5m`;
    context.addIssue({ code: 'custom', message: accepted });
    return z.NEVER;
  });

const integer = (min: number, max: number) =>
  z.string().transform((text, context) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `a whole number from ${min} to ${max}` });
    return z.NEVER;
  });

const integerOr = <Word extends string>(word: Word, min: number, max: number) =>
  z.string().transform((text, context): number | Word => {
    if (text === word) return word;
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({
      code: 'custom',
      message: `${word} or a whole number from ${min} to ${max}`,
    });
    return z.NEVER;
  });

const choice = <Word extends string>(...words: readonly [Word, ...Word[]]) =>
  z.string().transform((text, context): Word => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    context.addIssue({ code: 'custom', message: words.join(' or ') });
    return z.NEVER;
  });

const flagSwitch = choice('true', 'false').transform((word) => word === 'true');

const addressPattern = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;

function isAddress(text: string): boolean {
  const match = addressPattern.exec(text);
  const port = Number(match?.[1]);
  return match !== null && port >= 1 && port <= 65_535;
}

const address = z.string().refine(isAddress, { message: 'HOST:PORT with a port from 1 to 65535' });

const addresses = z.string().transform((text, context) => {
  const list = text.split(',').filter((one) => one !== '');
  if (list.every(isAddress)) return list;
  context.addIssue({ code: 'custom', message: 'HOST:PORT addresses, comma separated' });
  return z.NEVER;
});

const name = (what: string, pattern: RegExp) =>
  z.string().regex(pattern, { message: `${what} of letters, digits, '.', '_' or '-', at most 63` });

/** Every flag's type, unit and range, from text. Durations come out in milliseconds. */
export const fieldSchemas = {
  node: name('a name', /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
  dataDir: z.string().min(1, { message: 'a directory' }),
  http: address,
  raft: address,
  gossip: address,
  advertiseHttp: address,
  advertiseRaft: address,
  advertiseGossip: address,
  bootstrap: flagSwitch,
  join: addresses,
  gossipJoin: addresses,
  observer: flagSwitch,
  gossipQuorum: integerOr('majority', 1, 1000),
  zone: name('empty or a name', /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/),
  minZones: integerOr('auto', 1, 100),
  verificationScript: z.string(),
  notificationScript: z.string(),
  notifyOn: choice('leader', 'all'),
  notifyArgs: choice('role', 'plain'),
  verifyInterval: duration(100, 86_400_000),
  verifyTimeout: duration(100, 86_400_000),
  verifySamples: integer(1, 100),
  verifyWindow: integer(1, 1000),
  verifyConcurrency: integer(1, 1024),
  eventInterval: duration(0, 604_800_000),
  eventHold: duration(0, 86_400_000),
  notifyTimeout: duration(100, 86_400_000),
  notifyRetries: integer(1, 1000),
  gossipKey: z.string(),
  diskStallTimeout: duration(100, 600_000),
  leaseReads: flagSwitch,
  profile: choice('lan', 'wan', 'local'),
  logLevel: choice('debug', 'info', 'warn', 'error'),
  logFormat: choice('pretty', 'json'),
} as const;

export type FieldName = keyof typeof fieldSchemas;
export type Fields = { [Name in FieldName]: z.output<(typeof fieldSchemas)[Name]> };
