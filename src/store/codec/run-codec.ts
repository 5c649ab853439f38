import { utf8 } from '../../shared/index.ts';
import type { ProtoReader, ProtoWriter } from '../../wire/index.ts';

/** How a run of the notification script ended. */
export interface RunEnd {
  readonly durationMs: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly output: string;
}

/** Fractions of measured times are rounded; a clock that ran backwards counts as 0. */
export const wholeMs = (ms: number): number => Math.max(0, Math.round(ms));

export function writeRunEnd(writer: ProtoWriter, field: number, end: RunEnd): void {
  const mark = writer.begin(field, end.output.length + 16);
  writer.uint(1, wholeMs(end.durationMs)).presentSint(2, end.exitCode);
  if (end.signal !== null) writer.presentBytes(3, utf8(end.signal));
  writer.bool(4, end.timedOut).string(5, end.output);
  writer.end(mark);
}

export function readRunEnd(reader: ProtoReader): RunEnd {
  const outerEnd = reader.enter();
  let durationMs = 0;
  let exitCode: number | null = null;
  let signal: string | null = null;
  let timedOut = false;
  let output = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) durationMs = reader.uint();
    else if (field === 2) exitCode = reader.sint();
    else if (field === 3) signal = reader.string();
    else if (field === 4) timedOut = reader.bool();
    else if (field === 5) output = reader.string();
    else reader.fail(0);
  }
  reader.leave(outerEnd);
  return { durationMs, exitCode, signal, timedOut, output };
}
