import type { SystemCall } from './strace.ts';

/** A value that can be found in requests and in the log: unique, and nothing else looks like it. */
export const markOf = (n: number, hex: string): string => `mark-${n}-${hex}`;
const markPattern = /mark-\d+-[0-9a-f]{16}/g;

const recordHeaderBytes = 40;
const maskOffset = 16;

export interface AckProof {
  /** Answers 200 to a marked request that were found. */
  readonly ackCount: number;
  /** Acknowledged before a majority's log writes with the mark had returned; for people. */
  readonly early: readonly string[];
  /** The least time from the majority's last write to the answer, in microseconds. */
  readonly slackUsMin: number;
}

/** What `traces` (one for each node, by its name) prove about marked writes. */
export function proveAcks(traces: ReadonlyMap<string, readonly SystemCall[]>): AckProof {
  const durableAt = new Map<string, number[]>();
  for (const calls of traces.values()) {
    for (const [mark, at] of durableMarks(calls)) {
      durableAt.set(mark, [...(durableAt.get(mark) ?? []), at]);
    }
  }
  const majority = Math.floor(traces.size / 2) + 1;
  const early: string[] = [];
  let [ackCount, slackUsMin] = [0, Infinity];
  for (const [node, calls] of traces) {
    for (const { mark, at } of acknowledgements(calls)) {
      ackCount++;
      const copies = [...(durableAt.get(mark) ?? [])].sort((a, b) => a - b);
      const slackUs = at - (copies[majority - 1] ?? Infinity);
      slackUsMin = Math.min(slackUsMin, slackUs);
      if (slackUs >= 0) continue;
      const inTime = copies.filter((one) => one <= at).length;
      early.push(`${mark}: ${node} answered when ${inTime} of ${traces.size} logs held it`);
    }
  }
  return { ackCount, early, slackUsMin };
}

/** When each mark was first in the log of this node: the write of its record had returned. */
function durableMarks(calls: readonly SystemCall[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const { target, data, result, returnedAt } of calls) {
    if (!/\/log-[0-9a-f]{16}\.seg$/.test(target)) continue;
    // A short write holds what it took.
    for (const mark of marksIn(unmasked(data).subarray(0, Math.max(0, result)))) {
      first.set(mark, Math.min(returnedAt, first.get(mark) ?? Infinity));
    }
  }
  return first;
}

/** Records name a word that their body is XORed with; mostly 0. */
function unmasked(record: Buffer): Buffer {
  if (record.length < recordHeaderBytes) return record;
  const mask = record.readUInt32LE(maskOffset);
  if (mask === 0) return record;
  const plain = Buffer.from(record);
  for (let i = recordHeaderBytes; i < plain.length; i++) {
    plain[i] = (plain[i] ?? 0) ^ (mask >>> ((i & 3) * 8));
  }
  return plain;
}

interface Acknowledgement {
  readonly mark: string;
  /** When the node began to send the answer. */
  readonly at: number;
}

/** A mark is read from a socket; the next 200 on that socket acknowledges it. */
function acknowledgements(calls: readonly SystemCall[]): Acknowledgement[] {
  const asked = new Map<string, string>();
  const found: Acknowledgement[] = [];
  for (const { name, target, data, enteredAt } of calls) {
    if (!target.startsWith('socket:')) continue;
    if (name === 'read') {
      const [mark] = data.subarray(0, 5).toString('latin1') === 'POST ' ? marksIn(data) : [];
      if (mark !== undefined) asked.set(target, mark);
      continue;
    }
    const mark = asked.get(target);
    if (mark === undefined || !data.toString('latin1').startsWith('HTTP/1.1 200 ')) continue;
    asked.delete(target);
    found.push({ mark, at: enteredAt });
  }
  return found;
}

const marksIn = (data: Buffer): string[] => data.toString('latin1').match(markPattern) ?? [];
