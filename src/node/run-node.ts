import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import { createHttpServer } from '../http/index.ts';
import type { HttpServer } from '../http/index.ts';
import { checkScript, startRunner } from '../runner/index.ts';
import type { ScriptRunner } from '../runner/index.ts';
import type { Logger } from '../shared/index.ts';
import { codeOf, QuorateError, splitCommand } from '../shared/index.ts';
import { nodeFiles, rocksKvFactory } from '../storage/index.ts';
import { createLogger, createMetrics } from '../telemetry/index.ts';
import { createGrpcPeerTransport, gossipSockets, parseGossipKeys } from '../transport/index.ts';
import { CurrentMember, NodeClusterApi, NodeStoreApi, NodeWatchApi } from './api/index.ts';
import { DataDirectory } from './cluster/data-directory.ts';
import { observe } from './observe.ts';
import { replicaSettingsFor } from './replica/index.ts';
import type { SessionInit } from './session.ts';
import { Session } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { systemClock, systemRandom } from './system.ts';
import type { Script } from './watching/index.ts';

const httpGraceMs = 2_000;
const runnerGraceMs = 100;

export interface RunNodeInit {
  readonly config: Config;
  readonly version: string;
  /** The daemon's PATH, for scripts without a slash. */
  readonly searchPath: string;
  readonly isTerminal: boolean;
  /** Resolves when the node is to stop. */
  readonly stopRequested: Promise<void>;
}

/** The real world. */
const surroundingsOf = (keys: readonly Uint8Array[]): Surroundings => ({
  files: nodeFiles(),
  kvFactory: rocksKvFactory(),
  clock: systemClock,
  random: systemRandom,
  makeTransport: (init) => createGrpcPeerTransport(init),
  makeGossipSockets: (init) => gossipSockets({ ...init, keys }),
});

/**
 * Runs a node until it is told to stop (0) or must stop (1: disk or invariant failed, said in one
 * line of the log). Throws CONFIG_INVALID, DATA_DIRECTORY_LOCKED or STORAGE_* before it serves.
 */
export async function runNode(init: RunNodeInit): Promise<number> {
  const { config } = init;
  const scripts = checkScripts(init);
  const surroundings = surroundingsOf(readGossipKeys(config.gossipKey));
  const logger = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    node: config.node,
    colors: init.isTerminal,
  });
  warnIfOpen(config, logger);
  warnIfUndialable(config, logger);
  const replicaSettings = replicaSettingsFor(config.profile);
  const directory = await DataDirectory.open({
    files: surroundings.files,
    kvFactory: surroundings.kvFactory,
    path: resolve(config.dataDir),
    logSettings: replicaSettings.log,
    logger,
  });
  const metrics = createMetrics({ version: init.version, node: config.node });
  const daemon = new Daemon(init, {
    surroundings,
    logger,
    metrics,
    directory,
    replicaSettings,
    ...scripts,
  });
  try {
    const exitCode = await daemon.run();
    // After a failure the disk may not answer any more; the kernel frees the lock all the same.
    if (exitCode === 0) await directory.close();
    return exitCode;
  } finally {
    metrics.close();
  }
}

type DaemonParts = Pick<
  SessionInit,
  | 'surroundings'
  | 'logger'
  | 'metrics'
  | 'directory'
  | 'replicaSettings'
  | 'verification'
  | 'notification'
>;

class Daemon {
  readonly #init: RunNodeInit;
  readonly #parts: DaemonParts;
  readonly #current = new CurrentMember(systemClock);
  readonly #fatal = deferred();
  #session: Session | null = null;
  #runner: ScriptRunner | null = null;
  #renewing: Promise<void> | null = null;

  constructor(init: RunNodeInit, parts: DaemonParts) {
    this.#init = init;
    this.#parts = parts;
  }

  async run(): Promise<number> {
    const { config, stopRequested } = this.#init;
    const { logger, verification, notification } = this.#parts;
    const http = this.#makeHttp();
    if (verification !== null || notification !== null) {
      this.#runner = await startRunner({ logger, verifyConcurrency: config.verifyConcurrency });
    }
    try {
      await this.#startSession({ isRenewed: false });
      await http.start(config.http);
    } catch (error) {
      await this.#stopAll(http);
      throw error;
    }
    const { http: httpAddress, raft, gossip } = config;
    logger.info(
      { http: httpAddress, raft, gossip },
      `Listening: http ${httpAddress}, raft ${raft}, gossip ${gossip}`,
    );
    const failure = (await this.#unlessFatal(stopRequested)) ?? (await this.#stopInOrder(http));
    return failure === null ? 0 : this.#die(failure.error);
  }

  async #stopInOrder(http: HttpServer): Promise<Failure | null> {
    const { logger } = this.#parts;
    logger.info({}, 'Stopping; a second signal ends it at once');
    const failure = await this.#unlessFatal(this.#stopAll(http));
    if (failure === null) logger.info({}, 'Stopped');
    return failure;
  }

  /** null when `done` resolves; what makes this process stop at once when that comes first. */
  #unlessFatal(done: Promise<void>): Promise<Failure | null> {
    const failed = (error: unknown): Failure => ({ error });
    return Promise.race([done.then(() => null, failed), this.#fatal.promise.then(failed)]);
  }

  #makeHttp(): HttpServer {
    const { logger, metrics } = this.#parts;
    const current = this.#current;
    observe(metrics, current, () => this.#runner);
    return createHttpServer({
      api: {
        store: new NodeStoreApi(current),
        watch: new NodeWatchApi(current),
        cluster: new NodeClusterApi(current),
      },
      logger,
      metrics: metrics.http,
      version: this.#init.version,
      onInvariantBroken: (error) => this.#fatal.resolve(error),
    });
  }

  async #startSession(options: { readonly isRenewed: boolean }): Promise<void> {
    this.#session = await Session.start({
      ...this.#parts,
      ...options,
      config: this.#init.config,
      runner: this.#runner,
      onFatal: (error) => this.#fatal.resolve(error),
      onRenew: () => this.#renew(),
    });
    this.#current.use(this.#session);
  }

  /** The operator lets a removed node in again: as a new incarnation, with nothing of the old. */
  #renew(): void {
    this.#renewing ??= this.#startAfresh()
      .catch((error: unknown) => this.#fatal.resolve(error))
      .finally(() => (this.#renewing = null));
  }

  async #startAfresh(): Promise<void> {
    this.#parts.logger.warn({}, 'Starting afresh as a new incarnation');
    this.#current.use(null);
    await this.#session?.stop();
    await this.#parts.directory.wipe();
    await this.#startSession({ isRenewed: true });
  }

  async #stopAll(http: HttpServer): Promise<void> {
    await this.#renewing;
    const httpStopped = http.stop(httpGraceMs);
    await this.#session?.stop(httpStopped);
    await httpStopped;
    await this.#runner?.stop({ graceMs: runnerGraceMs });
  }

  /** Nothing is written any more, nothing is handed over: what is on the disk is what counts. */
  #die(error: unknown): number {
    const message = error instanceof Error ? error.message : String(error);
    const code = codeOf(error);
    // Only what nobody foresaw needs more than its line.
    this.#parts.logger.error(code ? { code } : { error }, `This node must stop: ${message}`);
    return 1;
  }
}

/** A promise that somebody else settles. */
function deferred(): { promise: Promise<unknown>; resolve: (error: unknown) => void } {
  let resolve: (error: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((settle) => (resolve = settle));
  return { promise, resolve };
}

interface Failure {
  readonly error: unknown;
}

function checkScripts({ config, searchPath }: RunNodeInit) {
  return {
    verification: scriptOf('--verificationScript', config.verificationScript, searchPath),
    notification: scriptOf('--notificationScript', config.notificationScript, searchPath),
  };
}

function scriptOf(flag: string, command: string, searchPath: string): Script | null {
  if (command.trim() === '') return null;
  const { file, args } = forFlag(flag, () => splitCommand(command));
  return { file: checkScript(file, { flag, searchPath }), args };
}

/** What is refused must say for which flag. */
function forFlag<Result>(flag: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const reason = found.replace(/^Cannot/, 'cannot');
    throw new QuorateError('CONFIG_INVALID', `Cannot start with ${flag}: ${reason}`, { cause });
  }
}

function readGossipKeys(path: string): readonly Uint8Array[] {
  if (path === '') return [];
  return forFlag(`--gossipKey ${path}`, () => parseGossipKeys(readFileSync(path, 'utf8')));
}

function warnIfUndialable(config: Config, logger: Logger): void {
  const names = ['advertiseHttp', 'advertiseRaft', 'advertiseGossip'] as const;
  for (const name of names) {
    const address = config[name];
    if (!/^(0\.0\.0\.0|\[::\]):/.test(address)) continue;
    logger.warn({ name, address }, `Other nodes cannot dial ${address}: set --${name}`);
  }
}

function warnIfOpen({ http, raft, gossip }: Config, logger: Logger): void {
  const open = [http, raft, gossip].filter(
    (address) => !/^(127\.|localhost:|\[::1\]:)/.test(address),
  );
  if (open.length === 0) return;
  logger.warn(
    { open },
    `Listening beyond this machine (${open.join(', ')}) without authentication: let a firewall guard it`,
  );
}
