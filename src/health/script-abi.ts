import { utf8 } from '../shared/index.ts';
import type { EventRecord, NodeId, Revision, SampleStatus } from '../shared/index.ts';

/** What a script is given: follows the script's own arguments; `env` extends the daemon's. */
export interface Invocation {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Bytes for standard input; null: closed. */
  readonly stdin: Uint8Array | null;
}

/** A longer VALUE comes on standard input: one argument cannot carry more than 128 KiB on Linux. */
const valueArgumentBytesMax = 32 * 1024;
const stdinWord = '@stdin';

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function argumentText(value: Uint8Array): string | null {
  if (value.length > valueArgumentBytesMax || value.includes(0)) return null;
  try {
    const text = strictDecoder.decode(value);
    return text === stdinWord ? null : text;
  } catch {
    return null;
  }
}

/**
 * A value as a script's argument, byte for byte. What no argument can carry (above 32 KiB, a NUL, not
 * UTF-8) comes on standard input behind the word `@stdin`, and so does a value that is that word.
 */
export function valueArgument(value: Uint8Array): {
  readonly argument: string;
  readonly stdin: Uint8Array | null;
} {
  const text = argumentText(value);
  return text === null ? { argument: stdinWord, stdin: value } : { argument: text, stdin: null };
}

export interface VerifyCall {
  readonly key: string;
  readonly value: Uint8Array;
  readonly valueRevision: Revision;
  readonly node: NodeId;
  readonly zone: string;
}

/** `verify.sh KEY VALUE`. */
export function verifyInvocation(call: VerifyCall): Invocation {
  const { argument, stdin } = valueArgument(call.value);
  return {
    args: [call.key, argument],
    env: {
      QUORATE_NODE: call.node,
      QUORATE_ZONE: call.zone,
      QUORATE_VALUE_REVISION: String(call.valueRevision),
    },
    stdin,
  };
}

export interface NotifyCall {
  readonly role: 'leader' | 'follower';
  readonly event: Pick<
    EventRecord,
    'id' | 'token' | 'key' | 'value' | 'valueRevision' | 'from' | 'to'
  >;
  readonly node: NodeId;
  readonly attempt: number;
  /** `plain` leaves ROLE out. */
  readonly notifyArgs: 'role' | 'plain';
  /** The event as `/events/{id}` shows it, without its notification. */
  readonly eventJson: string;
}

/**
 * `notify.sh ROLE KEY VALUE STATUS`. Standard input is always the event's JSON: a VALUE that is too
 * long for an argument is found there, as its field `value`.
 */
export function notifyInvocation(call: NotifyCall): Invocation {
  const { event } = call;
  const { argument } = valueArgument(utf8(event.value));
  const args = [event.key, argument, event.to];
  return {
    args: call.notifyArgs === 'plain' ? args : [call.role, ...args],
    env: {
      QUORATE_NODE: call.node,
      QUORATE_EVENT_ID: String(event.id),
      QUORATE_TOKEN: event.token,
      QUORATE_PREV_STATUS: event.from,
      QUORATE_ATTEMPT: String(call.attempt),
      QUORATE_VALUE_REVISION: String(event.valueRevision),
    },
    stdin: utf8(call.eventJson),
  };
}

/**
 * What a run of the verification script said: the first line of its standard output, trimmed. The exit
 * code is ignored; a timeout or a failure to start cannot tell.
 */
export function sampleStatusOf(run: {
  readonly stdout: string;
  readonly timedOut: boolean;
  readonly startError: string | null;
}): SampleStatus {
  if (run.timedOut || run.startError !== null) return 'EMPTY';
  const [firstLine = ''] = run.stdout.split('\n', 1);
  const word = firstLine.trim();
  return word === 'UP' || word === 'DOWN' ? word : 'EMPTY';
}
