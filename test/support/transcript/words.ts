import type {
  Configuration,
  Entry,
  PersistBatch,
  RaftMessage,
  RaftOutput,
  Reply,
} from '../../../src/raft/index.ts';
import { peerIdOfMember } from '../../../src/raft/index.ts';
import { assertNever } from '../../../src/shared/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { textOf } from '../raft-fixtures.ts';

/** How a transcript says what nodes do: one short line each. */

/** `a` for the first incarnation of a, `a2` for its second. */
export const nameOf = (peer: PeerId): string => {
  const [nodeId = '', incarnation = ''] = peer.split('@');
  return incarnation === '1' ? nodeId : `${nodeId}${incarnation}`;
};

const namesOf = (peers: readonly PeerId[]): string => peers.map(nameOf).join(' ');

function wordOf(entry: Entry): string {
  const at = `${entry.index}@${entry.term}`;
  if (entry.kind !== 'command') return `${at} ${entry.kind}`;
  const text = textOf(entry);
  if (text === at) return at;
  return text.length > 12 ? `${at} (${text.length} bytes)` : `${at} ${text}`;
}

/** Few entries one by one, many by their ends. */
function wordsOf(entries: readonly Entry[]): string {
  const [first] = entries;
  const last = entries.at(-1);
  if (!first || !last) return 'nothing';
  if (entries.length <= 4) return entries.map(wordOf).join(', ');
  return `${wordOf(first)} ... ${wordOf(last)}`;
}

const roundOf = (readRound: number): string => (readRound > 0 ? `, round ${readRound}` : '');

/** What a message says, without who says it to whom. `requests` numbers reads as they appear. */
export function sayingOf(message: RaftMessage, requests: Map<number, number>): string {
  const { kind, term } = message;
  switch (kind) {
    case 'voteRequest':
    case 'voteResponse':
      return voteOf(message);
    case 'appendRequest':
    case 'appendResponse':
      return appendOf(message);
    case 'heartbeat':
      return `heartbeat term ${term}, commit ${message.commit}${roundOf(message.readRound)}`;
    case 'heartbeatResponse':
      return `heartbeat heard, term ${term}${roundOf(message.readRound)}`;
    case 'timeoutNow':
      return `stand now, term ${term}`;
    case 'readRequest':
      return `read ${readNumber(message.requestId, requests)}?`;
    case 'readResponse': {
      const answer = message.index === null ? 'refused' : `at ${message.index}`;
      return `read ${readNumber(message.requestId, requests)} ${answer}`;
    }
    default:
      return assertNever(kind);
  }
}

type Vote = Extract<RaftMessage, { readonly kind: 'voteRequest' | 'voteResponse' }>;

function voteOf(message: Vote): string {
  const { preVote, term } = message;
  const what = preVote ? 'pre-vote' : 'vote';
  if (message.kind === 'voteResponse') {
    return `${what} ${message.granted ? 'yes' : 'no'}, term ${term}`;
  }
  const log = `log ends ${message.lastIndex}@${message.lastTerm}`;
  return `${what}? term ${term}, ${log}${message.transfer ? ', by order of the leader' : ''}`;
}

type Append = Extract<RaftMessage, { readonly kind: 'appendRequest' | 'appendResponse' }>;

function appendOf(message: Append): string {
  const { term, readRound } = message;
  if (message.kind === 'appendRequest') {
    const { previousIndex, previousTerm, entries, leaderCommit } = message;
    const after = `after ${previousIndex}@${previousTerm}: ${wordsOf(entries)}`;
    return `append term ${term} ${after}; commit ${leaderCommit}${roundOf(readRound)}`;
  }
  const { success, index, hintIndex, hintTerm } = message;
  const answer = success ? `ok to ${index}` : `no to ${index}, try ${hintIndex}@${hintTerm}`;
  return `append ${answer}, term ${term}${roundOf(readRound)}`;
}

function readNumber(requestId: number, requests: Map<number, number>): number {
  const number = requests.get(requestId) ?? requests.size + 1;
  requests.set(requestId, number);
  return number;
}

function replyOf(reply: Reply): string {
  const { kind, tag } = reply;
  switch (kind) {
    case 'appended':
      return `#${tag} appended as ${reply.index}@${reply.term}`;
    case 'readAt':
      return `#${tag} may read at ${reply.index}${reply.leaseUntilMs === undefined ? '' : ', by lease'}`;
    case 'transferred':
      return `#${tag} transferred`;
    case 'refused':
      return `#${tag} refused (${reply.reason}): ${reply.message}`;
    default:
      return assertNever(kind);
  }
}

/** `a b c`, `a b c, learner d`, `joint: a d and a b c`. */
export function configurationWords({ members, outgoingVoters }: Configuration): string {
  const named = (role: string): string =>
    namesOf(members.filter((member) => member.role === role).map(peerIdOfMember));
  const voters = named('voter');
  const parts = [
    outgoingVoters.length > 0 ? `joint: ${voters} and ${namesOf(outgoingVoters)}` : voters,
  ];
  if (named('learner') !== '') parts.push(`learner ${named('learner')}`);
  if (named('observer') !== '') parts.push(`observer ${named('observer')}`);
  return parts.join(', ');
}

/** What a node decided in one step: a line each. `brief` leaves out writes and commits. */
export function effectsOf(self: string, output: RaftOutput, brief: boolean): string[] {
  const lines: string[] = [];
  const { persist, change, configuration, commitIndex } = output;
  if (change) lines.push(roleOf(self, change));
  if (persist && !brief) lines.push(`${self} writes ${batchOf(persist)}`);
  if (configuration) {
    const words = configurationWords(configuration.configuration);
    lines.push(`${self} uses configuration ${configuration.index}: ${words}`);
  }
  if (commitIndex !== null && !brief) lines.push(`${self} commits ${commitIndex}`);
  for (const reply of output.replies) lines.push(`${self}: ${replyOf(reply)}`);
  return [...lines, ...snapshotsOf(self, output)];
}

function batchOf({ hardState, entries }: PersistBatch): string {
  const parts: string[] = [];
  if (hardState) {
    const { term, vote } = hardState;
    parts.push(`term ${term}, ${vote === null ? 'no vote' : `vote for ${nameOf(vote)}`}`);
  }
  if (entries.length > 0) parts.push(wordsOf(entries));
  return parts.join('; ');
}

function snapshotsOf(self: string, output: RaftOutput): string[] {
  const { sendSnapshots, installSnapshot, dropSnapshot } = output;
  const lines = sendSnapshots.map((to) => `${self} starts a snapshot for ${nameOf(to)}`);
  if (installSnapshot) {
    lines.push(`${self} installs the snapshot ${installSnapshot.index}@${installSnapshot.term}`);
  }
  if (dropSnapshot) lines.push(`${self} drops the snapshot`);
  return lines;
}

function roleOf(self: string, { role, leader, term }: NonNullable<RaftOutput['change']>): string {
  if (role === 'leader') return `${self} leads term ${term}`;
  if (role === 'candidate') return `${self} stands in term ${term}`;
  if (role === 'preCandidate') return `${self} asks before it stands, still in term ${term}`;
  const whom = leader === null ? 'nobody' : nameOf(leader);
  return `${self} follows ${whom} in term ${term}`;
}
