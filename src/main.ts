#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './cli/index.ts';
import { recover, runNode, showLog, systemOffline, verifyData } from './node/index.ts';

// Before anything uses the pool: log, engine and script pipes must not wait for each other.
process.env['UV_THREADPOOL_SIZE'] ??= '16';

/** A second signal within this time is the same Ctrl-C reaching us twice. */
const sameSignalMs = 1_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };

/** Resolves at the first signal, or when the process that watches over this one is gone. */
function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | null = null;
    const onSignal = (): void => {
      const nowMs = performance.now();
      if (firstAtMs !== null && nowMs - firstAtMs > sameSignalMs) process.exit(1);
      firstAtMs ??= nowMs;
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    if (process.connected) process.once('disconnect', resolve);
  });
}

const writeOut = (text: string): void => void process.stdout.write(text);
const writeError = (text: string): void => void process.stderr.write(text);
const offline = systemOffline({ writeOut, writeError });

const exitCode = await runCommandLine({
  argv: process.argv.slice(2),
  variables: process.env,
  isTerminal: process.stderr.isTTY,
  root,
  version,
  launch: [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)],
  serve: (config) =>
    runNode({
      config,
      version,
      searchPath: process.env['PATH'] ?? '',
      isTerminal: process.stderr.isTTY,
      stopRequested: stopRequested(),
    }),
  offline: {
    inspectLog: (options) => showLog(offline, options),
    verify: (dataDir) => verifyData(offline, dataDir),
    recover: (options) => recover(offline, { ...options, wallMs: Date.now() }),
  },
  stopRequested,
  writeOut,
  writeError,
});
process.exit(exitCode);
