import type {
  Configuration,
  HardState,
  PersistBatch,
  RaftMessage,
  RaftView,
} from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import type { Replica } from '../../../src/node/replica/index.ts';
import type { CommittedLog } from './committed-log.ts';
import { Conduct } from './conduct.ts';
import { DiskImage } from './disk-image.ts';
import { isOnQuorum, isVoterIn } from './quorums.ts';
import type { World } from './world.ts';

/** A running process as the checker looks at it. */
export interface Watched {
  readonly self: PeerId;
  readonly replica: Replica;
  /** It sends nothing and waits for its disk: nobody follows it, whatever it holds itself to be. */
  readonly isStopping: boolean;
}

/** What one life of a process has shown so far; nothing of it may go back. */
interface Seen {
  term: number;
  commit: number;
  applied: number;
  /** The last term in which it led; 0: it did not. */
  ledTerm: number;
  /** When it was looked at last; null: this is the first time. */
  configuration: Configuration | null;
}

/** Raft's properties (figure 3) and what the drivers promise, looked at after every event. */
export class Checker {
  readonly log: CommittedLog;
  readonly conduct = new Conduct();
  /** Of every incarnation that ever was. */
  readonly #images = new Map<PeerId, DiskImage>();
  readonly #leaders = new Map<number, PeerId>();
  readonly #votes = new Map<string, PeerId>();
  readonly #digests = new Map<number, { readonly digest: number; readonly of: PeerId }>();
  readonly #seen = new WeakMap<Replica, Seen>();
  readonly #world: World;
  /** Writes that replaced entries which were durable. */
  truncationCount = 0;

  constructor(world: World, log: CommittedLog) {
    this.#world = world;
    this.log = log;
  }

  get electionCount(): number {
    return this.#leaders.size;
  }

  imageOf(peer: PeerId): DiskImage {
    const image = this.#images.get(peer) ?? new DiskImage();
    this.#images.set(peer, image);
    return image;
  }

  /** A batch is about to be written. */
  onWrite(self: PeerId, batch: PersistBatch, view: RaftView | undefined): void {
    const image = this.imageOf(self);
    const first = batch.entries[0];
    if (first !== undefined && first.index <= image.lastIndex) this.truncationCount++;
    const before = first === undefined ? undefined : image.termAt(first.index - 1);
    this.#expect(this.log.note(batch, before), self);
    if (batch.hardState !== undefined) this.#checkVote(self, image, batch.hardState);
    if (view?.role === 'leader') this.#checkChanges(self, batch, view);
    const lastIndexOf = (peer: PeerId): number => this.imageOf(peer).lastIndex;
    this.#expect(
      this.conduct.onWrite(self, batch, { nowMs: this.#world.nowMs, lastIndexOf }),
      self,
    );
  }

  /** What matches a snapshot and follows it stays: it may have been acknowledged. */
  onInstalled(self: PeerId, view: RaftView | undefined): void {
    const { lastIndex } = this.imageOf(self);
    if (view === undefined || view.lastIndex >= lastIndex) return;
    this.#violate(`${self} forgets entries ${view.lastIndex + 1} to ${lastIndex} over a snapshot`);
  }

  /** Something is wrong with what `self` does; null: all is well. */
  onConduct(self: PeerId, complaint: string | null): void {
    this.#expect(complaint, self);
  }

  /** A vote stays what it is for the whole term, and terms only grow. */
  #checkVote(self: PeerId, image: DiskImage, { term, vote }: HardState): void {
    if (!image.exists) return;
    const { hardState: before } = image;
    if (term < before.term) this.#violate(`${self} writes term ${term} after ${before.term}`);
    if (term !== before.term || before.vote === null || vote === before.vote) return;
    this.#violate(`${self} voted for ${before.vote} in ${term} and now for ${vote ?? 'nobody'}`);
  }

  /**
   * A leader begins no change of the members before the one before it is committed, nor before it has
   * committed an entry of its own term: else two leaders may each begin one that the other never saw.
   */
  #checkChanges(self: PeerId, { entries }: PersistBatch, view: RaftView): void {
    const changes = entries.filter(({ kind }) => kind === 'configuration');
    const image = this.imageOf(self);
    const committedTerm = image.termAt(view.commitIndex) ?? view.term;
    let before = image.configurationBelow(entries[0]?.index ?? 0);
    for (const { index, term } of changes) {
      if (term === view.term && before > view.commitIndex) {
        this.#violate(`${self} changes members at ${index}, ${before} is not committed`);
      }
      if (term === view.term && committedTerm !== term) {
        this.#violate(`${self} changes members at ${index}, but committed nothing in term ${term}`);
      }
      before = index;
    }
  }

  /** It leads: it said so itself, or sends what only leaders send. */
  onLeader(self: PeerId, term: number): void {
    const other = this.#leaders.get(term) ?? self;
    this.#leaders.set(term, self);
    if (other !== self) this.#violate(`election safety: ${other} and ${self} lead term ${term}`);
    const image = this.imageOf(self);
    const { hardState } = image;
    if (hardState.term < term || (hardState.term === term && hardState.vote !== self)) {
      this.#violate(`${self} leads term ${term} before its own vote is durable`);
    }
    const missing = this.log.missingOf(term, (index, of) => image.holds(index, of));
    this.#expect(missing, self);
  }

  /** A message leaves: what it promises must be durable. */
  onSend(self: PeerId, message: RaftMessage): void {
    switch (message.kind) {
      case 'voteRequest':
        if (!message.preVote) this.#onVote(self, message.term, self);
        return;
      case 'voteResponse':
        if (!message.preVote && message.granted) this.#onVote(self, message.term, message.to);
        return;
      case 'appendResponse':
        if (message.success) this.#onAcknowledge(self, message.term, message.index);
        return;
      case 'appendRequest':
      case 'heartbeat':
        if (this.#leaders.get(message.term) !== self) this.onLeader(self, message.term);
        return;
      default:
        return;
    }
  }

  /** Something happened to this process. */
  observe(watched: Watched): void {
    const { self, replica, isStopping } = watched;
    const { view } = replica;
    const seen = this.#seenOf(replica);
    if (view.term < seen.term) this.#violate(`${self} goes back to term ${view.term}`);
    if (view.commitIndex < seen.commit) {
      this.#violate(`${self} goes back to commit ${view.commitIndex} from ${seen.commit}`);
    }
    this.#noteLeadership(self, view, seen);
    if (view.commitIndex > seen.commit) this.#onCommit(self, view, seen);
    seen.term = view.term;
    seen.commit = view.commitIndex;
    seen.configuration = view.configuration.configuration;
    this.#observeState(watched, seen);
    this.#checkConfiguration(self, view);
    if (!isStopping) this.#expect(this.conduct.onObserve(self, view, this.#world.nowMs), self);
  }

  /** The newest configuration of the log is in force, and a leader that it leaves out goes. */
  #checkConfiguration(self: PeerId, view: RaftView): void {
    const image = this.imageOf(self);
    const { index, configuration } = view.configuration;
    // Between the switch to a snapshot and the moment that the core hears of it they differ.
    const isSameLog = image.baseIndex === view.firstIndex - 1 && image.lastIndex === view.lastIndex;
    if (image.isAtRest && isSameLog) {
      const newest = image.configurationBelow(Infinity);
      if (newest !== index) this.#violate(`${self} goes by configuration ${index}, not ${newest}`);
    }
    const isLeft = view.role === 'leader' && index <= view.commitIndex;
    if (isLeft && !isVoterIn(configuration, self)) {
      this.#violate(`${self} leads, but is no voter any more`);
    }
  }

  #seenOf(replica: Replica): Seen {
    const known = this.#seen.get(replica);
    if (known !== undefined) return known;
    const fresh = { term: 0, commit: 0, applied: 0, ledTerm: 0, configuration: null };
    this.#seen.set(replica, fresh);
    return fresh;
  }

  /** Who begins to lead has the votes of a quorum, its own on its disk. */
  #noteLeadership(self: PeerId, view: RaftView, seen: Seen): void {
    if (view.role !== 'leader' || seen.ledTerm === view.term) return;
    seen.ledTerm = view.term;
    const votedFor = (peer: PeerId): PeerId | undefined => this.#votes.get(`${peer} ${view.term}`);
    const isElected = isOnQuorum(view.configuration.configuration, (peer) =>
      peer === self ? this.imageOf(self).hardState.vote === self : votedFor(peer) === self,
    );
    if (!isElected) this.#violate(`${self} leads term ${view.term} without the votes of a quorum`);
  }

  /** Its own entry of its own term, on a quorum's disks; else it only hears what others did. */
  #onCommit(self: PeerId, view: RaftView, seen: Seen): void {
    const { commitIndex: index } = view;
    const term = seen.ledTerm;
    const mayBeOwn = term > 0 && this.log.isKnown(index, term);
    if (view.role === 'leader' && index > this.log.lastIndex && !mayBeOwn) {
      this.#violate(`${self} leads term ${term} and commits ${index} of another term`);
    } else if (mayBeOwn && (view.role === 'leader' || index > this.log.lastIndex)) {
      const inForce = [view.configuration.configuration, seen.configuration];
      if (!inForce.some((one) => one !== null && this.#isOnQuorum(one, index, term))) {
        this.#violate(`${self} commits ${index}@${term}, which is on no quorum's disks`);
      }
      this.#expect(this.log.commit(index, term), self);
    } else if (index > this.log.lastIndex) {
      this.#violate(`${self} takes ${index} for committed, last is ${this.log.lastIndex}`);
    }
  }

  /** The configuration may have changed in the very event, so the one before it counts too. */
  #isOnQuorum(configuration: Configuration, index: number, term: number): boolean {
    return isOnQuorum(configuration, (peer) => this.imageOf(peer).holds(index, term));
  }

  /** State machine safety: what is applied is committed, durable here, and gives one state. */
  #observeState({ self, replica }: Watched, seen: Seen): void {
    const { machine } = replica.state;
    const { appliedIndex: applied } = machine;
    if (applied === seen.applied) return;
    if (applied < seen.applied) this.#violate(`${self} goes back to applied index ${applied}`);
    const image = this.imageOf(self);
    if (applied > this.log.lastIndex || applied > image.lastIndex) {
      const { lastIndex } = this.log;
      this.#violate(`${self} applied ${applied}; committed ${lastIndex}, disk ${image.lastIndex}`);
      return;
    }
    for (let index = Math.max(seen.applied, image.baseIndex); index <= applied; index++) {
      const [held, committed] = [image.termAt(index), this.log.termAt(index)];
      if (held === committed) continue;
      this.#violate(
        `${self} applied ${index}@${held ?? '-'}, committed is term ${committed ?? '-'}`,
      );
    }
    seen.applied = applied;
    const revision = this.log.store.revisionAt(applied);
    if (machine.revision !== revision) {
      this.#violate(
        `${self} is at revision ${machine.revision} at ${applied}, not ${revision ?? 0}`,
      );
    }
    this.checkDigest({ self, replica });
  }

  /** Nodes that applied the same entries hold the same state. */
  checkDigest({ self, replica }: Pick<Watched, 'self' | 'replica'>): void {
    const { machine } = replica.state;
    const { appliedIndex } = machine;
    const digest = machine.digest();
    const known = this.#digests.get(appliedIndex);
    if (known === undefined) this.#digests.set(appliedIndex, { digest, of: self });
    else if (known.digest !== digest) {
      this.#violate(`${self} and ${known.of} differ in their states at index ${appliedIndex}`);
    }
  }

  #onVote(self: PeerId, term: number, candidate: PeerId): void {
    const name = `${self} ${term}`;
    const before = this.#votes.get(name) ?? candidate;
    this.#votes.set(name, candidate);
    if (before !== candidate) this.#violate(`${self} votes twice in term ${term}`);
    const { hardState } = this.imageOf(self);
    const isDurable =
      hardState.term > term || (hardState.term === term && hardState.vote === candidate);
    if (!isDurable) this.#violate(`${self} votes for ${candidate} in ${term} before it is durable`);
  }

  /** Of a later term what was acknowledged may have been replaced already. */
  #onAcknowledge(self: PeerId, term: number, index: number): void {
    const image = this.imageOf(self);
    if (image.hardState.term > term) return;
    if (image.hardState.term < term)
      this.#violate(`${self} answers in ${term} before it is durable`);
    if (image.lastIndex < index)
      this.#violate(`${self} acknowledges ${index} before it is durable`);
  }

  #expect(complaint: string | null, self: PeerId): void {
    if (complaint !== null) this.#violate(`${self}: ${complaint}`);
  }

  #violate(message: string): void {
    this.#world.violate(message);
  }
}
