import type { StoreLimits } from './types.ts';

const MIB = 1024 * 1024;

/** What every node enforces. Part of the replicated rules: to change one needs a cluster version. */
export const storeLimits: StoreLimits = {
  keyBytesMax: 1024,
  valueBytesMax: 512 * 1024,
  keysMax: 1_000_000,
  databaseBytesMax: 2048 * MIB,
  reserveBytes: 128 * MIB,
  eventsMax: 10_000,
  ledgerBytesMax: 64 * MIB,
  attemptsMax: 32,
  operationsMax: 128,
  sessionsMax: 10_000,
  sessionsBytesMax: 32 * MIB,
  sessionWindow: 64,
  sessionIdleMs: 3_600_000,
  sessionStepMs: 60_000,
  expiredSessionsMax: 100_000,
};

/** What longer texts and lists of an event are cut to; UTF-8 bytes. */
export const eventLimits = {
  outputBytesMax: 4096,
  /** Output that is kept when open events alone fill the ledger. */
  outputBytesWhenFull: 256,
  reasonBytesMax: 1024,
  nameBytesMax: 256,
  votesMax: 128,
  samplesMax: 16,
} as const;

/** What a session and its stored results may hold; characters. */
export const sessionLimits = {
  idCharsMax: 64,
  messageCharsMax: 256,
} as const;

/** Highest cluster version whose commands and rows this code knows. */
export const supportedClusterVersion = 1;

/** The only keyspace so far. */
export const defaultKeyspace = '';
