import { pino } from 'pino';
import type { DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Logger } from '../shared/index.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerInit {
  readonly level: LogLevel;
  /** `json`: one object per line. `pretty`: for people. */
  readonly format: 'json' | 'pretty';
  /** Node id, in every line. */
  readonly node: string;
  /** Colours in the pretty format; for terminals. */
  readonly colors?: boolean;
  /** Takes whole lines; standard error by default. */
  readonly destination?: DestinationStream;
}

/** Above this much unwritten text (a reader of standard error that hangs) lines are dropped. */
const bufferedCharsMax = 4 * 1024 * 1024;
const standardError = 2;

/**
 * The log of a node. Lines go to standard error, because standard output belongs to what commands
 * print. Writing never blocks the event loop; what is buffered is written when the process exits.
 */
export function createLogger(init: LoggerInit): Logger {
  const destination = init.destination ?? standardErrorStream();
  const options = {
    level: init.level,
    base: { node: init.node },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err, cause: pino.stdSerializers.err },
  };
  const log = pino(options, init.format === 'json' ? destination : prettyInto(destination, init));
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
}

function standardErrorStream(): DestinationStream {
  return pino.destination({ dest: standardError, sync: false, maxLength: bufferedCharsMax });
}

/** Formats on the way, so that no line waits in a second stream when the process exits. */
function prettyInto(destination: DestinationStream, { colors }: LoggerInit): DestinationStream {
  const pretty = prettyFactory({
    colorize: colors ?? false,
    translateTime: 'UTC:yyyy-mm-dd HH:MM:ss.l',
    ignore: 'node',
    messageFormat: '[{node}] {msg}',
    errorLikeObjectKeys: ['error', 'cause'],
    singleLine: true,
  });
  return { write: (line) => destination.write(pretty(line)) };
}
