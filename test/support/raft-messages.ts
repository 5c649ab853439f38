import type {
  AppendRequest,
  AppendResponse,
  Entry,
  Heartbeat,
  RaftCore,
  RaftMessage,
  RaftOutput,
  VoteRequest,
  VoteResponse,
} from '../../src/raft/index.ts';
import { asIndex, asTerm } from '../../src/shared/index.ts';
import { peer } from './raft-fixtures.ts';

/** Messages by hand, for tests of one core. Numbers become indexes and terms. */

interface Way {
  readonly from: string;
  readonly to: string;
  readonly term: number;
}

const head = ({ from, to, term }: Way): Pick<RaftMessage, 'from' | 'to' | 'term'> => ({
  from: peer(from),
  to: peer(to),
  term: asTerm(term),
});

export function voteRequest(
  way: Way,
  last: { readonly term: number; readonly index: number },
  flags: { readonly preVote?: boolean; readonly transfer?: boolean } = {},
): VoteRequest {
  return {
    kind: 'voteRequest',
    ...head(way),
    preVote: flags.preVote ?? false,
    transfer: flags.transfer ?? false,
    lastIndex: asIndex(last.index),
    lastTerm: asTerm(last.term),
  };
}

export const voteResponse = (way: Way, granted: boolean, preVote = false): VoteResponse => ({
  kind: 'voteResponse',
  ...head(way),
  preVote,
  granted,
});

export function append(
  way: Way,
  previous: { readonly term: number; readonly index: number },
  entries: readonly Entry[],
  leaderCommit = 0,
): AppendRequest {
  return {
    kind: 'appendRequest',
    ...head(way),
    previousIndex: asIndex(previous.index),
    previousTerm: asTerm(previous.term),
    lastIndex: asIndex(previous.index + entries.length),
    entries,
    leaderCommit: asIndex(leaderCommit),
    readRound: 0,
  };
}

export function acknowledge(way: Way, index: number, readRound = 0): AppendResponse {
  return {
    kind: 'appendResponse',
    ...head(way),
    success: true,
    index: asIndex(index),
    hintIndex: asIndex(0),
    hintTerm: asTerm(0),
    readRound,
  };
}

export const heartbeat = (way: Way, commit = 0, readRound = 0): Heartbeat => ({
  kind: 'heartbeat',
  ...head(way),
  commit: asIndex(commit),
  readRound,
});

export const pulse = (way: Way, readRound = 0): RaftMessage => ({
  kind: 'heartbeatResponse',
  ...head(way),
  readRound,
});

export const receive = (core: RaftCore, message: RaftMessage): RaftOutput =>
  core.step({ kind: 'message', message });

/** The messages of one kind that leave in a step, at once or after the persist. */
export function messagesOf<Kind extends RaftMessage['kind']>(
  output: RaftOutput,
  kind: Kind,
): Extract<RaftMessage, { readonly kind: Kind }>[] {
  const all = [...output.messagesNow, ...output.messagesAfterPersist];
  return all.filter(
    (message): message is Extract<RaftMessage, { readonly kind: Kind }> => message.kind === kind,
  );
}

/** Lets time pass in small ticks; returns the first output for which `until` holds. */
export function tickUntil(
  core: RaftCore,
  until: (output: RaftOutput) => boolean,
  limitMs = 2_000,
): RaftOutput {
  for (let passed = 0; passed < limitMs; passed += 10) {
    const output = core.step({ kind: 'tick', elapsedMs: 10 });
    if (until(output)) return output;
  }
  throw new Error(`Nothing came within ${limitMs} ms`);
}

/** Makes every batch handed out so far durable. */
export const persistAll = (core: RaftCore, output: RaftOutput): RaftOutput =>
  core.step({ kind: 'persisted', sequence: output.afterSequence });
