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
  return { write: (line) => destination.write(pretty(forPeople(line))) };
}

const alwaysShown = new Set(['level', 'time', 'node', 'msg']);

/** Without the fields that the message says already. */
function forPeople(line: string): object {
  const { error, ...others } = JSON.parse(line) as Record<string, unknown>;
  const text = expectedText(error);
  const message = [String(others['msg']), ...(text === null ? [] : [text])].join(': ');
  const fields = text === null && error !== undefined ? { ...others, error } : others;
  const shown = Object.entries(fields).filter(
    ([name, value]) => alwaysShown.has(name) || !says(message, value),
  );
  return { ...Object.fromEntries(shown), msg: visible(message) };
}

/** An error with a code says all in its message: where in the code it arose helps nobody. */
function expectedText(error: unknown): string | null {
  const isExpected = typeof error === 'object' && error !== null && 'code' in error;
  return isExpected && 'message' in error ? String(error.message) : null;
}

/** As words of their own. What is null says nothing to people. */
function says(message: string, value: unknown): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.every((one) => says(message, one));
  if (value === '' || (typeof value !== 'string' && typeof value !== 'number')) return false;
  // Of a peer its name will do: the incarnation is for programs.
  const around = message.split(String(value).replace(/@[0-9a-f]{16}$/, ''));
  const isWord = (before: string, after = ''): boolean => !/\w$/.test(before) && !/^\w/.test(after);
  return around.slice(0, -1).some((before, i) => isWord(before, around[i + 1]));
}

/** Keys and what scripts print may hold anything: nothing of it may steer a terminal or begin a line. */
function visible(message: string): string {
  return message.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
