import type { MemberChange, RaftView, Reply } from '../../raft/index.ts';
import type { LogIndex } from '../../shared/index.ts';
import type { Applier } from './applier.ts';
import type { RaftDriver } from './raft-driver.ts';

type Driver = Pick<RaftDriver, 'tag' | 'submit'> & {
  readonly view: Pick<RaftView, 'configuration' | 'commitIndex'>;
};

interface OpenChange {
  readonly reply: Extract<Reply, { readonly kind: 'appended' }>;
  readonly resolve: (reply: Reply) => void;
}

/**
 * Changes of the members that this node asked the core for. Once its first entry is committed, a
 * joint change is certain to be completed, by whoever leads; until then former voters are needed.
 * The core begins one change at a time, so few are ever open.
 */
export class MemberChanges {
  readonly #driver: Driver;
  readonly #applier: () => Pick<Applier, 'expect'>;
  #open: OpenChange[] = [];

  constructor(driver: Driver, applier: () => Pick<Applier, 'expect'>) {
    this.#driver = driver;
    this.#applier = applier;
  }

  /** Resolves with the reply when the changes are over, or refused. */
  make(changes: readonly MemberChange[], expectedIndex: LogIndex | null): Promise<Reply> {
    return new Promise((resolve) => {
      const tag = this.#driver.tag((reply) => {
        if (reply.kind === 'appended') this.#await({ reply, resolve });
        else resolve(reply);
      });
      this.#driver.submit({ kind: 'changeMembers', tag, changes, expectedIndex });
    });
  }

  /** The configuration in force changed, or its entry is committed now. */
  onConfiguration(): void {
    if (this.#open.length > 0) this.#settle();
  }

  /** The node stops. */
  abandon(): void {
    for (const { reply, resolve } of this.#open.splice(0)) {
      resolve(abandoned(reply, 'the node stops'));
    }
  }

  #await(change: OpenChange): void {
    const { reply, resolve } = change;
    this.#applier().expect(reply.index, reply.term, ({ kind }) => {
      if (kind === 'lost') resolve(abandoned(reply, 'another leader took over'));
      else if (kind === 'unknown') resolve(abandoned(reply, 'no answer in time'));
      else {
        this.#open.push(change);
        this.#settle();
      }
    });
  }

  #settle(): void {
    const { configuration, commitIndex } = this.#driver.view;
    const isJoint = configuration.configuration.outgoingVoters.length > 0;
    if (isJoint || configuration.index > commitIndex) return;
    const isOver = ({ reply }: OpenChange): boolean => reply.index <= configuration.index;
    const over = this.#open.filter(isOver);
    this.#open = this.#open.filter((change) => !isOver(change));
    for (const { reply, resolve } of over) resolve(reply);
  }
}

function abandoned({ tag }: OpenChange['reply'], message: string): Reply {
  return { kind: 'refused', tag, reason: 'abandoned', leader: null, message };
}
