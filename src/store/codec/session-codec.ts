import { asRevision } from '../../shared/index.ts';
import { ProtoReader } from '../../wire/index.ts';
import type { ProtoWriter } from '../../wire/index.ts';
import type { Failure } from '../outcome.ts';
import type { Session, StoredResult } from '../session-table.ts';
import type { CommandResult } from '../types.ts';
import { failureCodes, nameOf, numberOf } from './names.ts';

/** Message quorate.state.SessionRow. The same session always gives the same bytes. */
export function encodeSession(writer: ProtoWriter, session: Session): Uint8Array {
  writer.uint(1, session.highest).uint(2, session.lastUse).uint(3, session.lastUsedMs);
  for (const [sequence, result] of session.results) {
    const age = session.highest - sequence;
    if (typeof result === 'number') writer.presentUint(4, age).presentUint(5, result);
    else writeFailure(writer, age, result);
  }
  return writer.take();
}

function writeFailure(writer: ProtoWriter, age: number, { code, message }: Failure): void {
  const mark = writer.begin(6, message.length + 8);
  writer.uint(1, age).uint(2, numberOf(failureCodes, code)).string(3, message).end(mark);
}

/** undefined when the bytes are no session row. */
export function decodeSession(id: string, bytes: Uint8Array): Session | undefined {
  const reader = new ProtoReader(bytes);
  const numbers = [0, 0, 0, 0, 0];
  const results = new Map<number, StoredResult>();
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    const [, highest = 0, , , age = 0] = numbers;
    if (field === 5) results.set(highest - age, reader.uint());
    else if (field === 6) readFailure(reader, highest, results);
    else if (field > 6) reader.fail(0);
    else numbers[field] = reader.uint();
  }
  const [, highest = 0, lastUse = 0, lastUsedMs = 0] = numbers;
  return reader.failed ? undefined : { id, highest, lastUse, lastUsedMs, results };
}

function readFailure(reader: ProtoReader, highest: number, into: Map<number, StoredResult>): void {
  const outerEnd = reader.enter();
  let age = 0;
  let number = 0;
  let message = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) age = reader.uint();
    else if (field === 2) number = reader.uint();
    else if (field === 3) message = reader.string();
    else reader.fail(0);
  }
  reader.leave(outerEnd);
  const code = nameOf(failureCodes, number);
  if (code === undefined) reader.fail(0);
  else into.set(highest - age, { ok: false, code, message });
}

/** A success as one number: revision, whether something changed, and the branch. */
export function storedOf(result: CommandResult, messageCharsMax: number): StoredResult {
  if (!result.ok) return { ...result, message: result.message.slice(0, messageCharsMax) };
  return result.revision * 4 + (result.changed ? 2 : 0) + (result.branch === 'else' ? 1 : 0);
}

export function resultOf(stored: StoredResult): CommandResult {
  if (typeof stored !== 'number') return stored;
  return {
    ok: true,
    revision: asRevision(Math.floor(stored / 4)),
    changed: stored % 4 >= 2,
    branch: stored % 2 === 1 ? 'else' : 'then',
  };
}
