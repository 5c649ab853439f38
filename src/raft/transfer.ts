import type { PeerId } from '../shared/index.ts';
import type { Leadership } from './leadership.ts';
import type { Progress } from './progress.ts';
import { replicateTo } from './replication.ts';
import type { RaftState } from './state.ts';
import type { Tag } from './step-types.ts';

/** Handing leadership over (thesis 3.10). */

/**
 * Begins a transfer: the target is brought up to date, then told to campaign at once. One that is
 * silent, or may need a snapshot or still install one, is refused: meanwhile no command would be
 * taken, in vain.
 */
export function startTransfer(
  state: RaftState,
  leadership: Leadership,
  request: { readonly tag: Tag; readonly to: PeerId | null },
): void {
  const { outbox, self } = state;
  const { tag } = request;
  if (state.transfer) {
    outbox.refuse(tag, 'busy', self, 'Cannot transfer leadership: a transfer is under way');
    return;
  }
  if (request.to === self) {
    outbox.reply({ kind: 'transferred', tag });
    return;
  }
  const to = request.to ?? bestSuccessor(state, leadership);
  if (to === null || !staysVoter(state, to)) {
    const found = to ?? 'no other voter answers';
    outbox.refuse(tag, 'invalid', self, `Cannot transfer leadership to another voter: ${found}`);
    return;
  }
  const progress = leadership.progressOf(to);
  const cannot = 'Cannot transfer leadership to a voter';
  if (isSilent(state, progress)) {
    const found = `${to} has not answered for ${progress.silentMs} ms: start it, or name another`;
    outbox.refuse(tag, 'unreachable', self, `${cannot}: ${found}`);
    return;
  }
  if (progress.matchIndex < state.log.base.index) {
    outbox.refuse(tag, 'busy', self, `${cannot}: ${to} has yet to be known to hold the log`);
    return;
  }
  state.transfer = { tag, to, elapsedMs: 0 };
  replicateTo(state, leadership, to);
  pushTransfer(state, leadership);
}

/** Tells the target to campaign once it holds the whole log: before that it could not win. */
export function pushTransfer(state: RaftState, leadership: Leadership): void {
  const { transfer } = state;
  if (!transfer) return;
  const { matchIndex } = leadership.progressOf(transfer.to);
  if (matchIndex !== state.log.lastIndex) return;
  leadership.lease.isForfeited = true;
  sendTimeoutNow(state, transfer.to);
}

/** A leader that has to go anyway names its best successor instead of letting all time out. */
export function handOver(state: RaftState, leadership: Leadership): void {
  const successor = bestSuccessor(state, leadership);
  if (successor !== null) sendTimeoutNow(state, successor);
}

function sendTimeoutNow(state: RaftState, to: PeerId): void {
  state.outbox.now({ kind: 'timeoutNow', ...state.head(to) });
}

/** Whether a voter, and not on its way out by a joint change. */
const staysVoter = ({ configurations }: RaftState, peer: PeerId): boolean =>
  configurations.electorate.voters.includes(peer);

/** As long as a follower would wait for its leader. */
const isSilent = ({ settings }: RaftState, { silentMs }: Progress): boolean =>
  silentMs >= settings.electionTimeoutMsMin;

/** The voter that holds most among those that answer. */
function bestSuccessor(state: RaftState, leadership: Leadership): PeerId | null {
  let best: PeerId | null = null;
  let bestMatch = -1;
  for (const [peer, progress] of leadership.peers) {
    const isAlive = progress.hasAnswered && !isSilent(state, progress);
    if (!isAlive || !staysVoter(state, peer)) continue;
    if (progress.matchIndex <= bestMatch) continue;
    best = peer;
    bestMatch = progress.matchIndex;
  }
  return best;
}

/** A leader is known (or none any more): the pending transfer may be settled. */
export function settleTransfer(state: RaftState): void {
  const { transfer, leader } = state;
  if (!transfer || leader === null) return;
  state.transfer = null;
  if (leader === transfer.to) {
    state.outbox.reply({ kind: 'transferred', tag: transfer.tag });
    return;
  }
  refuseTransfer(state, transfer.tag, `${leader} leads`);
}

/** Aborts after an election timeout; after two when leadership is gone and no successor shows. */
export function tickTransfer(state: RaftState, creditMs: number): void {
  const { transfer } = state;
  if (!transfer) return;
  transfer.elapsedMs += creditMs;
  const patience = state.leadership ? 1 : 2;
  if (transfer.elapsedMs < patience * state.settings.electionTimeoutMsMin) return;
  state.transfer = null;
  refuseTransfer(state, transfer.tag, `${transfer.to} did not take it in time`);
}

function refuseTransfer(state: RaftState, tag: Tag, found: string): void {
  state.outbox.refuse(tag, 'abandoned', state.leader, `Cannot transfer leadership: ${found}`);
}
