import type { Configuration, PersistBatch, RaftView } from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import { decodeConfiguration } from '../../../src/wire/index.ts';
import { votersIn } from './quorums.ts';

/** A leader that cannot write gives way within 2 s; it may stand still itself for 2.5 s meanwhile. */
const hungMsMax = 5_000;
/** What may be on its way to a learner that keeps up. */
const lagEntriesMax = 300;
/** Pins of the log hold up to twice the size that a log is cut at. */
const pinnedBytesMax = 2 * 1024 * 1024;

/**
 * What nodes promise beyond Raft's properties: breaking it loses nothing, but the cluster may stand
 * still for ever. Each method returns what is wrong, or null.
 */
export class Conduct {
  readonly #voters = new Set<PeerId>();
  readonly #writingSinceMs = new Map<PeerId, number>();

  /** Of the first configuration, which no log entry tells. */
  noteFounders(configuration: Configuration): void {
    for (const voter of votersIn(configuration)) this.#voters.add(voter);
  }

  /** Who becomes a voter has caught up: else the next commits would wait for all that it lacks. */
  onWrite(
    self: PeerId,
    batch: PersistBatch,
    { nowMs, lastIndexOf }: { nowMs: number; lastIndexOf: (peer: PeerId) => number },
  ): string | null {
    this.#writingSinceMs.set(self, nowMs);
    for (const { kind, index, payload } of batch.entries) {
      if (kind !== 'configuration') continue;
      for (const voter of votersIn(decodeConfiguration(payload))) {
        if (this.#voters.has(voter)) continue;
        this.#voters.add(voter);
        const lag = index - lastIndexOf(voter);
        if (lag > lagEntriesMax) return `${voter} is to vote, but lacks ${lag} entries`;
      }
    }
    return null;
  }

  onWritten(self: PeerId): void {
    this.#writingSinceMs.delete(self);
  }

  /** A leader whose disk hangs is worse than none. */
  onObserve(self: PeerId, { role }: RaftView, nowMs: number): string | null {
    const ageMs = nowMs - (this.#writingSinceMs.get(self) ?? nowMs);
    if (role !== 'leader' || ageMs <= hungMsMax) return null;
    return `still leads, its disk hangs for ${ageMs} ms`;
  }
}

/** Snapshots that one process has on their way, by the index that they end at. */
export class Transfers {
  readonly #indexes = new Map<PeerId, number>();

  begin(to: PeerId, index: number): void {
    this.#indexes.set(to, index);
  }

  end(to: PeerId): void {
    this.#indexes.delete(to);
  }

  /** What follows a snapshot must still be in the log when it arrives: else it was sent in vain. */
  onCompact(baseIndex: number, logBytes: number): string | null {
    if (logBytes > pinnedBytesMax) return null;
    for (const [to, index] of this.#indexes) {
      if (index < baseIndex) return `cuts its log to ${baseIndex} while ${to} is sent ${index}`;
    }
    return null;
  }
}
