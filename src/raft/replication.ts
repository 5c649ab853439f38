import { assert } from '../shared/index.ts';
import type { LogIndex, PeerId } from '../shared/index.ts';
import { maxIndex, minIndex, previous } from './indexes.ts';
import type { Leadership } from './leadership.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './state.ts';

/** What a leader sends to keep one peer's log like its own. */

/** Sends what the peer's window allows; asks for a snapshot when its next entry is gone. */
export function replicateTo(state: RaftState, leadership: Leadership, peer: PeerId): void {
  const { log, settings } = state;
  const progress = leadership.progressOf(peer);
  // Even when paused: the answer that would end the pause may be one to an entry cut since.
  if (needsSnapshot(state, progress)) {
    askForSnapshot(state, peer, progress);
    return;
  }
  while (!progress.isPaused(settings)) {
    if (progress.nextIndex > log.lastIndex) {
      if (progress.state === 'probe') sendEmptyAppend(state, leadership, peer);
      return;
    }
    const range = log.rangeFrom(progress.nextIndex, settings.appendBytesMax);
    sendAppend(state, leadership, peer, range.last);
    progress.sent(range);
  }
}

export function replicateToAll(state: RaftState, leadership: Leadership): void {
  for (const peer of leadership.peers.keys()) replicateTo(state, leadership, peer);
}

/** The entry before the next one must be known, be it only as the base. */
const needsSnapshot = (state: RaftState, progress: Progress): boolean =>
  progress.nextIndex <= state.log.base.index;

function askForSnapshot(state: RaftState, peer: PeerId, progress: Progress): void {
  // A silent peer could not take it.
  if (!progress.hasAnswered || progress.state === 'snapshot') return;
  progress.awaitSnapshot();
  state.outbox.sendSnapshots.push(peer);
}

function sendEmptyAppend(state: RaftState, leadership: Leadership, peer: PeerId): void {
  const progress = leadership.progressOf(peer);
  sendAppend(state, leadership, peer, previous(progress.nextIndex));
  progress.sent(null);
}

function sendAppend(
  state: RaftState,
  leadership: Leadership,
  peer: PeerId,
  lastIndex: LogIndex,
): void {
  const progress = leadership.progressOf(peer);
  const previousIndex = previous(progress.nextIndex);
  const previousTerm = state.log.termAt(previousIndex);
  assert(previousTerm !== undefined, `Entry ${previousIndex} must be known to append after it`);
  progress.commitSent = maxIndex(progress.commitSent, minIndex(state.commitIndex, lastIndex));
  state.outbox.now({
    kind: 'appendRequest',
    ...state.head(peer),
    previousIndex,
    previousTerm,
    lastIndex,
    entries: [],
    leaderCommit: state.commitIndex,
    readRound: leadership.readRound,
  });
}

/** Says "I lead" and how far this peer may commit: never beyond what it acknowledged. */
export function sendHeartbeat(state: RaftState, leadership: Leadership, peer: PeerId): void {
  const progress = leadership.progressOf(peer);
  const commit = minIndex(progress.matchIndex, state.commitIndex);
  progress.commitSent = maxIndex(progress.commitSent, commit);
  state.outbox.now({
    kind: 'heartbeat',
    ...state.head(peer),
    commit,
    readRound: leadership.readRound,
  });
}

/** One heartbeat interval has passed: a heartbeat to all, as an empty append where one is stuck. */
export function beat(state: RaftState, leadership: Leadership): void {
  for (const [peer, progress] of leadership.peers) {
    const asks = progress.takeStall() && !needsSnapshot(state, progress);
    if (asks) sendEmptyAppend(state, leadership, peer);
    else sendHeartbeat(state, leadership, peer);
  }
}

/** Tells the peer of commits that it could take over and that no append has told it. */
export function sendCommit(state: RaftState, leadership: Leadership, peer: PeerId): void {
  const progress = leadership.progressOf(peer);
  const known = minIndex(progress.matchIndex, state.commitIndex);
  if (known > progress.commitSent) sendHeartbeat(state, leadership, peer);
}

/** Asks the voters to confirm the newest read round. */
export function sendRound(state: RaftState, leadership: Leadership): void {
  for (const peer of leadership.peers.keys()) {
    if (state.configurations.isVoter(peer)) sendHeartbeat(state, leadership, peer);
  }
}
