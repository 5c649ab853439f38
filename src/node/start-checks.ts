import { readFileSync } from 'node:fs';
import type { Config } from '../config/index.ts';
import { checkScript } from '../runner/index.ts';
import type { Logger } from '../shared/index.ts';
import { QuorateError, splitCommand } from '../shared/index.ts';
import { parseGossipKeys } from '../transport/index.ts';
import type { Script } from './watching/index.ts';

interface ScriptPlaces {
  readonly config: Config;
  /** The daemon's PATH, for scripts without a slash. */
  readonly searchPath: string;
}

interface Scripts {
  readonly verification: Script | null;
  readonly notification: Script | null;
}

/** Both scripts, looked up and allowed to run. Throws CONFIG_INVALID naming the flag. */
export function checkScripts({ config, searchPath }: ScriptPlaces): Scripts {
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

export function readGossipKeys(path: string): readonly Uint8Array[] {
  if (path === '') return [];
  return forFlag(`--gossipKey ${path}`, () => parseGossipKeys(readFileSync(path, 'utf8')));
}

export function warnIfUndialable(config: Config, logger: Logger): void {
  const names = ['advertiseHttp', 'advertiseRaft', 'advertiseGossip'] as const;
  for (const name of names) {
    const address = config[name];
    if (!/^(0\.0\.0\.0|\[::\]):/.test(address)) continue;
    logger.warn({ name, address }, `Other nodes cannot dial ${address}: set --${name}`);
  }
}

export function warnIfOpen({ http, raft, gossip }: Config, logger: Logger): void {
  const open = [http, raft, gossip].filter(
    (address) => !/^(127\.|localhost:|\[::1\]:)/.test(address),
  );
  if (open.length === 0) return;
  logger.warn(
    { open },
    `Listening beyond this machine (${open.join(', ')}) without authentication: let a firewall guard it`,
  );
}
