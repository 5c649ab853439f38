import type { RefusalReason, Reply } from '../../raft/index.ts';
import { peerIdOfMember, votersOf } from '../../raft/index.ts';
import type { Clock, PeerId } from '../../shared/index.ts';
import { pause, QuorateError } from '../../shared/index.ts';
import type { Replica } from '../replica/index.ts';

const tryAgainMs = 50;
/** An attempt that fails kept commands out for an election timeout: the next ones come more seldom. */
const pauseMsMax = 2_000;
/** A member that is silent may be about to return: it is asked for so long. */
const silenceMsMax = 2_000;

type Port = Pick<Replica, 'self' | 'isLeader' | 'configuration' | 'transfer'>;

interface Parts {
  readonly replica: Port;
  readonly clock: Clock;
}

/**
 * On the leader: resolves once the member of this id leads. An attempt of the core ends after an
 * election timeout, so there may be several in `timeoutMs`. Rejects with NOT_FOUND, CONFLICT (no
 * voter, or one that does not answer), NOT_LEADER (ask again elsewhere) or UNKNOWN_OUTCOME (not in time).
 */
export async function handOverTo(parts: Parts, nodeId: string, timeoutMs: number): Promise<void> {
  const { replica, clock } = parts;
  const beganMs = clock.monotonicMs();
  const deadlineMs = beganMs + timeoutMs;
  if (!replica.isLeader) throw notLeader(nodeId);
  for (let pauseMs = tryAgainMs; ;) {
    const to = voterNamed(replica, nodeId);
    const reply = await inTime(parts, replica.transfer(to), deadlineMs);
    if (reply?.kind === 'transferred') return;
    const { reason, found } = refusalIn(reply);
    if (reason === 'invalid') throw new QuorateError('CONFLICT', found);
    if (reason === 'notLeader') throw notLeader(nodeId);
    const isSilent = reason === 'unreachable';
    if (isSilent && clock.monotonicMs() >= beganMs + Math.min(timeoutMs, silenceMsMax)) {
      throw new QuorateError('CONFLICT', found);
    }
    if (clock.monotonicMs() >= deadlineMs) {
      throw new QuorateError('UNKNOWN_OUTCOME', `Cannot make ${nodeId} leader in time: ${found}`);
    }
    await pause(clock, Math.min(pauseMs, deadlineMs - clock.monotonicMs()));
    if (reason === 'abandoned') pauseMs = Math.min(2 * pauseMs, pauseMsMax);
  }
}

/**
 * On a leader that goes: resolves with null once another leads, else with why none does after
 * `timeoutMs`, or at once where no other could or leadership ended otherwise. Never rejects.
 */
export async function handOverToBest(parts: Parts, timeoutMs: number): Promise<string | null> {
  const { replica, clock } = parts;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  if (!votersOf(replica.configuration).some((peer) => peer !== replica.self)) {
    return 'there is no other voter';
  }
  for (;;) {
    const reply = await inTime(parts, replica.transfer(null), deadlineMs);
    if (reply?.kind === 'transferred') return null;
    const { found } = refusalIn(reply);
    if (!replica.isLeader || clock.monotonicMs() >= deadlineMs) return found;
    await pause(clock, tryAgainMs);
  }
}

function voterNamed(replica: Port, nodeId: string): PeerId {
  const { members } = replica.configuration;
  const member = members.find((one) => one.nodeId === nodeId);
  if (member === undefined) {
    throw new QuorateError('NOT_FOUND', `Cannot make ${nodeId} leader: no member has this id`);
  }
  if (member.role !== 'voter') {
    throw new QuorateError('CONFLICT', `Cannot make ${nodeId} leader: its role is ${member.role}`);
  }
  return peerIdOfMember(member);
}

function refusalIn(reply: Reply | null): { reason: RefusalReason | null; found: string } {
  if (reply?.kind !== 'refused') return { reason: null, found: 'no answer' };
  return { reason: reply.reason, found: reply.message };
}

/** null when the time is up first. */
function inTime(
  { clock }: Parts,
  reply: Promise<Reply>,
  deadlineMs: number,
): Promise<Reply | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(Math.max(0, deadlineMs - clock.monotonicMs()), () => resolve(null));
    reply.then(resolve, reject).finally(cancel);
  });
}

const notLeader = (nodeId: string): QuorateError =>
  new QuorateError('NOT_LEADER', `Cannot make ${nodeId} leader: this node does not lead`);
