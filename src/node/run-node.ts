import { resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import { createHttpServer } from '../http/index.ts';
import type { HttpServer } from '../http/index.ts';
import { startRunner } from '../runner/index.ts';
import type { ScriptRunner } from '../runner/index.ts';
import { codeOf } from '../shared/index.ts';
import { nodeFiles, rocksKvFactory } from '../storage/index.ts';
import { createLogger, createMetrics } from '../telemetry/index.ts';
import { createGrpcPeerTransport, gossipSockets } from '../transport/index.ts';
import { CurrentMember, NodeClusterApi, NodeStoreApi, NodeWatchApi } from './api/index.ts';
import { DataDirectory } from './cluster/data-directory.ts';
import { Fenced } from './cluster/fence.ts';
import { askWitness } from './cluster/http-questions.ts';
import { rebuild, StaysDamaged } from './cluster/rebuilding.ts';
import { observe } from './observe.ts';
import { replicaSettingsFor } from './replica/index.ts';
import type { SessionInit } from './session.ts';
import { Session } from './session.ts';
import { checkScripts, readGossipKeys, warnIfOpen, warnIfUndialable } from './start-checks.ts';
import type { Surroundings } from './surroundings.ts';
import { systemClock, systemRandom } from './system.ts';

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

/** The exit code of a node whose data is condemned: started again, it sets it aside and joins anew. */
const condemnedExitCode = 75;

/**
 * Runs a node until it is told to stop (0) or must stop (1: disk or invariant failed, or the cluster
 * was recovered without its data; 75: its data is damaged and the next start rebuilds it; all said in
 * one line of the log). Throws CONFIG_INVALID, DATA_DIRECTORY_LOCKED, STORAGE_* or Fenced before it
 * serves.
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
  const replicaSettings = replicaSettingsFor(config.profile, config);
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
  #isStopping = false;

  constructor(init: RunNodeInit, parts: DaemonParts) {
    this.#init = init;
    this.#parts = parts;
  }

  async run(): Promise<number> {
    const { config, stopRequested } = this.#init;
    const { logger, verification, notification } = this.#parts;
    const http = this.#makeHttp();
    void stopRequested.then(() => (this.#isStopping = true));
    if (verification !== null || notification !== null) {
      this.#runner = await startRunner({ logger, verifyConcurrency: config.verifyConcurrency });
    }
    try {
      await this.#startSession();
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
    if (failure === null) return 0;
    if (this.#session !== null) await this.#note(failure.error);
    return this.#die(failure.error);
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

  /** With data that cannot be trusted: as a new incarnation, if there is somebody to join. */
  async #startSession(): Promise<void> {
    try {
      await this.#startWithWhatIsThere();
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.#rebuild(error);
      await this.#startWithWhatIsThere();
    }
  }

  async #startWithWhatIsThere(): Promise<void> {
    this.#session = await Session.start({
      ...this.#parts,
      config: this.#init.config,
      runner: this.#runner,
      onFatal: (error) => this.#onFatal(error),
      onRenew: () => this.#renew(),
    });
    this.#current.use(this.#session);
  }

  #rebuild(damage: Error): Promise<void> {
    const { config } = this.#init;
    const { directory, logger, surroundings } = this.#parts;
    const { clock } = surroundings;
    const isStopped = (): boolean => this.#isStopping;
    const { node: nodeId, join: joinAddresses } = config;
    return rebuild(
      { directory, nodeId, joinAddresses, clock, logger, ask: askWitness, isStopped },
      damage,
    );
  }

  /** A state that does not even load harmed nobody yet: this process goes on without it. */
  #onFatal(error: unknown): void {
    const isLoading = this.#session !== null && this.#session.member === null;
    if (!isDamage(error) || !isLoading || this.#isStopping) {
      this.#fatal.resolve(error);
      return;
    }
    this.#restart(async () => {
      await this.#endSession();
      await this.#rebuild(error);
      await this.#startSession();
    });
  }

  /** The operator lets a removed node in again: as a new incarnation, with nothing of the old. */
  #renew(): void {
    this.#restart(async () => {
      this.#parts.logger.warn({}, 'Starting afresh as a new incarnation');
      await this.#endSession();
      await this.#parts.directory.wipe();
      await this.#startSession();
    });
  }

  #restart(run: () => Promise<void>): void {
    this.#renewing ??= run()
      .catch((error: unknown) => this.#fatal.resolve(error))
      .finally(() => (this.#renewing = null));
  }

  async #endSession(): Promise<void> {
    this.#current.use(null);
    await this.#session?.stop();
  }

  async #stopAll(http: HttpServer): Promise<void> {
    await this.#renewing;
    const httpStopped = http.stop(httpGraceMs);
    await this.#session?.stop(httpStopped);
    await httpStopped;
    await this.#runner?.stop({ graceMs: runnerGraceMs });
  }

  /** The next start finds out again, or this note about it. */
  async #note(failure: unknown): Promise<void> {
    const { directory, logger } = this.#parts;
    try {
      if (isNewDamage(failure)) await directory.condemn(failure.message);
      else if (failure instanceof Fenced) await directory.fence(failure.fence);
    } catch (error) {
      logger.error({ error }, 'Could not note in the data directory that it must not be served');
    }
  }

  /** Nothing is written any more, nothing is handed over: what is on the disk is what counts. */
  #die(error: unknown): number {
    const message = error instanceof Error ? error.message : String(error);
    const code = codeOf(error);
    // Only what nobody foresaw needs more than its line.
    this.#parts.logger.error(code ? { code } : { error }, `This node must stop: ${message}`);
    return isNewDamage(error) ? condemnedExitCode : 1;
  }
}

/** Worth another start, unlike damage that a start could not do anything about. */
const isNewDamage = (error: unknown): error is Error =>
  isDamage(error) && !(error instanceof StaysDamaged);

const isDamage = (error: unknown): error is Error => codeOf(error) === 'STORAGE_DAMAGED';

/** A promise that somebody else settles. */
function deferred(): { promise: Promise<unknown>; resolve: (error: unknown) => void } {
  let resolve: (error: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((settle) => (resolve = settle));
  return { promise, resolve };
}

interface Failure {
  readonly error: unknown;
}
