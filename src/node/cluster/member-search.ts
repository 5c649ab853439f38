import type { Configuration, Member, RaftView } from '../../raft/index.ts';
import type { Clock } from '../../shared/index.ts';
import { pause, QuorateError } from '../../shared/index.ts';
import { isSettled } from './settled.ts';

const lookAgainMs = 100;

interface Around {
  readonly replica: {
    readonly view: Pick<RaftView, 'role' | 'configuration' | 'commitIndex'>;
  };
  readonly clock: Clock;
}

/** Whom to look for, until when, and what would be told to somebody who asks. */
interface Search {
  readonly find: (configuration: Configuration) => Member | undefined;
  readonly isAnswer: (found: Member | undefined) => boolean;
  readonly deadlineMs: number;
}

/**
 * On the leader: looks for a member. A configuration holds from its append but may roll back, so
 * what is an answer waits until that cannot happen. Rejects with NOT_LEADER or UNKNOWN_OUTCOME.
 */
export async function searchMember(
  { replica, clock }: Around,
  { find, isAnswer, deadlineMs }: Search,
): Promise<Member | undefined> {
  for (;;) {
    const { view } = replica;
    const found = find(view.configuration.configuration);
    if (!isAnswer(found) || isSettled(view)) return found;
    if (view.role !== 'leader') {
      throw new QuorateError('NOT_LEADER', 'Cannot tell who is a member: this node does not lead');
    }
    if (clock.monotonicMs() >= deadlineMs) {
      const why = `the change of members at ${view.configuration.index} is not over`;
      throw new QuorateError('UNKNOWN_OUTCOME', `Cannot tell who is a member: ${why}; ask again`);
    }
    await pause(clock, lookAgainMs);
  }
}
