import { assert } from '../shared/index.ts';
import type { LogIndex, PeerId } from '../shared/index.ts';
import { next } from './indexes.ts';
import { Lease } from './lease.ts';
import { Progress } from './progress.ts';
import type { Tag } from './step-types.ts';
import type { MemberChange, MemberRole } from './types.ts';

/** A read round: the commit index when it began, confirmed by a quorum's answers. */
export interface ReadRound {
  readonly round: number;
  readonly index: LogIndex;
  readonly readers: Readers;
}

/** Who waits for a read index. */
export interface Readers {
  /** Reads of this node. */
  readonly tags: Tag[];
  /** The newest request of each peer. */
  readonly requests: Map<PeerId, number>;
}

/** Changes by which voters go once the others are known to answer. */
export interface PendingRemoval {
  readonly tag: Tag;
  readonly changes: readonly MemberChange[];
  /** The voters that stay. */
  readonly rest: readonly PeerId[];
  /** They are asked with this read round or a later one. */
  readonly round: number;
  elapsedMs: number;
}

export const noReaders = (): Readers => ({ tags: [], requests: new Map() });

/** What a node knows only while it leads, in one term. */
export class Leadership {
  /** The first entry of the term. Committed: everything before it is too (Raft 5.4.2, thesis 6.4). */
  readonly noopIndex: LogIndex;
  readonly peers = new Map<PeerId, Progress>();
  heartbeatElapsedMs = 0;
  /** Cost of entries above the commit index. */
  uncommittedBytes = 0;
  /** Highest round begun; of this term only, so an echo from another term never matches. */
  readRound = 0;
  reading: ReadRound | null = null;
  waiting: Readers = noReaders();
  readonly lease = new Lease();
  /** Nothing else changes the members while it waits. */
  removal: PendingRemoval | null = null;

  constructor(noopIndex: LogIndex) {
    this.noopIndex = noopIndex;
  }

  progressOf(peer: PeerId): Progress {
    const progress = this.peers.get(peer);
    assert(progress !== undefined, `Peer ${peer} must be followed`);
    return progress;
  }

  /** Follows exactly the members but `self`; new ones from the end of the log. */
  follow(roles: ReadonlyMap<PeerId, MemberRole>, self: PeerId, lastIndex: LogIndex): void {
    for (const peer of this.peers.keys()) {
      if (!roles.has(peer)) this.peers.delete(peer);
    }
    for (const [peer, role] of roles) {
      if (peer === self) continue;
      const progress = this.peers.get(peer) ?? new Progress(next(lastIndex));
      const isLearner = role === 'learner';
      if (!isLearner) progress.catchUp = null;
      else progress.catchUp ??= { target: next(lastIndex), elapsedMs: 0, isQuick: false };
      this.peers.set(peer, progress);
    }
  }
}
