import type { MemberView } from '../gossip/index.ts';
import type { IndexedConfiguration, Member, RaftRole } from '../raft/index.ts';
import type { Logger } from '../shared/index.ts';

const statusText = {
  alive: 'is alive',
  suspect: 'is suspect',
  dead: 'is dead',
  left: 'has left',
} as const;

/** What the log says about the cluster: one line for each real change. */
export class ClusterNews {
  readonly #logger: Logger;
  readonly #self: Member;
  #members = '';

  constructor(logger: Logger, self: Member) {
    this.#logger = logger;
    this.#self = self;
  }

  /** A configuration comes by more than once: when it is appended, committed, read from the disk. */
  configuration({ configuration, index }: IndexedConfiguration): void {
    const members = configuration.members.map((member) => `${member.nodeId}(${member.role})`);
    const text = members.join(', ');
    if (text === this.#members) return;
    this.#members = text;
    this.#logger.info({ index, members }, `Members: ${text} (entry ${index})`);
  }

  leader(role: RaftRole, leader: string | null, term: number): void {
    const said = leader === null ? 'No leader' : `Leader is ${leader.split('@')[0] ?? leader}`;
    this.#logger.info({ role, leader, term }, `${said} (term ${term}); this node is ${role}`);
  }

  gossip({ nodeId, status, address }: MemberView): void {
    const level = nodeId === this.#self.nodeId ? 'debug' : 'info';
    const said = `Gossip: ${nodeId} at ${address} ${statusText[status]}`;
    this.#logger[level]({ nodeId, status, address }, said);
  }

  /** Caught up with a leader of this time. */
  ready(http: string): void {
    this.#logger.info({ http }, `Ready at http://${http}: caught up with the leader`);
  }
}
