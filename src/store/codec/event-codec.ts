import type {
  EventRecord,
  EventStatus,
  Evidence,
  NotificationAttempt,
  NotificationState,
} from '../../shared/index.ts';
import { asNodeId, asRevision, fromUtf8, utf8 } from '../../shared/index.ts';
import { ProtoReader } from '../../wire/index.ts';
import type { ProtoWriter } from '../../wire/index.ts';
import { readEvidence, writeEvidence } from './evidence-codec.ts';
import { nameOf, notificationStates, numberOf, statuses } from './names.ts';

/** Message quorate.state.EventRow. */
export function encodeEvent(writer: ProtoWriter, event: EventRecord): Uint8Array {
  writer.uint(1, event.id).string(2, event.token).string(3, event.key);
  writer.uint(4, event.createRevision).bytes(5, utf8(event.value)).uint(6, event.valueRevision);
  writer.uint(7, event.from === '' ? 0 : numberOf(statuses, event.from));
  writer.uint(8, numberOf(statuses, event.to)).string(9, event.reason).uint(10, event.atMs);
  writeEvidence(writer, 11, event.evidence);
  writer.uint(12, numberOf(notificationStates, event.notification.state));
  for (const attempt of event.notification.attempts) writeAttempt(writer, attempt);
  return writer.take();
}

function writeAttempt(writer: ProtoWriter, attempt: NotificationAttempt): void {
  const mark = writer.begin(13, attempt.output.length + 32);
  writer
    .uint(1, attempt.attempt)
    .string(2, attempt.node)
    .bool(3, attempt.role === 'follower');
  writer.uint(4, attempt.startedAtMs).presentUint(5, attempt.durationMs);
  writer.presentSint(6, attempt.exitCode);
  if (attempt.signal !== null) writer.presentBytes(7, utf8(attempt.signal));
  writer.bool(8, attempt.timedOut).string(9, attempt.output).end(mark);
}

/** undefined when the bytes are no event row. */
export function decodeEvent(bytes: Uint8Array): EventRecord | undefined {
  const reader = new ProtoReader(bytes);
  const numbers = new Array<number>(13).fill(0);
  const texts = new Array<string>(13).fill('');
  const attempts: NotificationAttempt[] = [];
  let evidence: Evidence = { quorum: 0, minZones: 0, votes: [] };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 11) evidence = readEvidence(reader);
    else if (field === 13) attempts.push(readAttempt(reader));
    else if (field > 13) reader.fail(0);
    else if (textFields.has(field)) texts[field] = fromUtf8(reader.bytes());
    else numbers[field] = reader.uint();
  }
  return reader.failed ? undefined : eventOf(numbers, texts, { evidence, attempts });
}

const textFields: ReadonlySet<number> = new Set([2, 3, 5, 9]);

function eventOf(
  numbers: readonly number[],
  texts: readonly string[],
  rest: { readonly evidence: Evidence; readonly attempts: readonly NotificationAttempt[] },
): EventRecord | undefined {
  const number = (field: number): number => numbers[field] ?? 0;
  const text = (field: number): string => texts[field] ?? '';
  const from: EventStatus | '' | undefined = number(7) === 0 ? '' : nameOf(statuses, number(7));
  const to = nameOf(statuses, number(8));
  const state: NotificationState | undefined = nameOf(notificationStates, number(12));
  if (from === undefined || to === undefined || state === undefined) return undefined;
  return {
    id: asRevision(number(1)),
    token: text(2),
    key: text(3),
    createRevision: asRevision(number(4)),
    value: text(5),
    valueRevision: asRevision(number(6)),
    from,
    to,
    reason: text(9),
    atMs: number(10),
    evidence: rest.evidence,
    notification: { state, attempts: rest.attempts },
  };
}

function readAttempt(reader: ProtoReader): NotificationAttempt {
  const outerEnd = reader.enter();
  let attempt = 0;
  let node = '';
  let role: NotificationAttempt['role'] = 'leader';
  let startedAtMs = 0;
  let durationMs: number | null = null;
  let exitCode: number | null = null;
  let signal: string | null = null;
  let timedOut = false;
  let output = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) attempt = reader.uint();
    else if (field === 2) node = reader.string();
    else if (field === 3) role = reader.bool() ? 'follower' : 'leader';
    else if (field === 4) startedAtMs = reader.uint();
    else if (field === 5) durationMs = reader.uint();
    else if (field === 6) exitCode = reader.sint();
    else if (field === 7) signal = reader.string();
    else if (field === 8) timedOut = reader.bool();
    else if (field === 9) output = reader.string();
    else reader.fail(0);
  }
  reader.leave(outerEnd);
  const run = { startedAtMs, durationMs, exitCode, signal, timedOut, output };
  return { attempt, node: asNodeId(node), role, ...run };
}
