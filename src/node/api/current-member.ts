import type { Member } from '../../raft/index.ts';
import type { Clock } from '../../shared/index.ts';
import { pause, QuorateError } from '../../shared/index.ts';
import type { ClusterMember } from '../cluster-member.ts';
import type { Session } from '../session.ts';

const pollMs = 50;

/** The member that serves requests now; sessions may change below it. */
export class CurrentMember {
  readonly #clock: Clock;
  #session: Session | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  use(session: Session | null): void {
    this.#session = session;
  }

  member(): ClusterMember | null {
    return this.#session?.member ?? null;
  }

  /** The members that this node knows of; also before it serves as one itself. */
  members(): readonly Member[] {
    return this.#session?.configuration.members ?? [];
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Rejects with NO_LEADER when this node has no cluster in time. */
  async waitFor(timeoutMs: number): Promise<ClusterMember> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
    for (;;) {
      const member = this.member();
      if (member !== null) return member;
      if (this.#clock.monotonicMs() >= deadlineMs) {
        throw new QuorateError(
          'NO_LEADER',
          'Cannot serve this: the node belongs to no cluster yet',
        );
      }
      await pause(this.#clock, pollMs);
    }
  }
}
