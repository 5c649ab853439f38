import type { RaftMessage } from '../../../src/raft/index.ts';
import { assert } from '../../../src/shared/index.ts';
import { nameOf } from './words.ts';

/** Which messages a command means. */
export type Filter = (message: RaftMessage) => boolean;

const kinds: Readonly<Record<string, (message: RaftMessage) => boolean>> = {
  'pre-vote?': (message) => message.kind === 'voteRequest' && message.preVote,
  'vote?': (message) => message.kind === 'voteRequest' && !message.preVote,
  'pre-vote': (message) => message.kind === 'voteResponse' && message.preVote,
  vote: (message) => message.kind === 'voteResponse' && !message.preVote,
  append: ({ kind }) => kind === 'appendRequest',
  'append-answer': ({ kind }) => kind === 'appendResponse',
  heartbeat: ({ kind }) => kind === 'heartbeat',
  'heartbeat-answer': ({ kind }) => kind === 'heartbeatResponse',
  'stand-now': ({ kind }) => kind === 'timeoutNow',
  'read?': ({ kind }) => kind === 'readRequest',
  read: ({ kind }) => kind === 'readResponse',
};

const ways: readonly (readonly [arrow: string, isBoth: boolean])[] = [
  ['<->', true],
  ['->', false],
];

/**
 * Words that must all hold: a kind (`append`, `vote?`...), several kinds (`append|heartbeat`), a
 * way (`a->b`, `a->*`, `a,b<->c,d`).
 */
export function filterOf(words: readonly string[]): Filter {
  const tests = words.map(testOf);
  return (message) => tests.every((test) => test(message));
}

function testOf(word: string): Filter {
  for (const [arrow, isBoth] of ways) {
    const [from, to] = word.split(arrow);
    if (from === undefined || to === undefined) continue;
    const goes = (one: RaftMessage['from'], other: RaftMessage['from']): boolean =>
      isNamed(from, one) && isNamed(to, other);
    return (message) =>
      goes(message.from, message.to) || (isBoth && goes(message.to, message.from));
  }
  const wanted = word.split('|').map((name) => {
    const kind = kinds[name];
    assert(kind !== undefined, `${name} must be one of ${Object.keys(kinds).join(', ')}`);
    return kind;
  });
  return (message) => wanted.some((kind) => kind(message));
}

const isNamed = (names: string, peer: RaftMessage['from']): boolean =>
  names === '*' || names.split(',').includes(nameOf(peer));
