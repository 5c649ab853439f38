import type { RaftView } from '../../raft/index.ts';
import type { LogIndex, PeerId } from '../../shared/index.ts';

/** A pin that has not moved for this long is given up. */
const stillMsMax = 600_000;

/** How far a leader and its peers are; no peers where another one leads. */
export interface PinView extends Pick<RaftView, 'peers' | 'lastIndex'> {
  /** Peers with a transfer on its way, which may outlast the office of the leader that began it. */
  readonly sending: Pick<ReadonlySet<PeerId>, 'has'>;
}

interface Pin {
  /** Entries above this one stay. */
  index: LogIndex;
  movedAtMs: number;
  /** Set when the snapshot is there: the pin ends once the peer holds this entry. */
  until: LogIndex | null;
  /** How far any attempt got: to read the same chunks again is no progress. */
  furthest: ReadChunk | null;
}

/** A chunk of the snapshot that ends at an index. */
interface ReadChunk {
  readonly snapshot: LogIndex;
  readonly number: number;
}

/**
 * Keeps the log behind a snapshot until the peer that gets it has caught up; else the log would be
 * cut beyond it, and the peer would need the next snapshot from its first chunk, for ever. So a
 * broken transfer keeps its pin: it will go on with the same snapshot. A peer that makes no progress
 * for 10 minutes, however often it is tried, holds up nothing any more. One pin a peer at most, and
 * only for members. Times are monotonic milliseconds.
 */
export class LogPins {
  readonly #pins = new Map<PeerId, Pin>();

  /**
   * Pins the log above `index` for a transfer that begins or is tried again: that alone is no
   * progress. `index`: the base of the log, or that of the snapshot once it is chosen.
   */
  pin(peer: PeerId, index: LogIndex, nowMs: number): void {
    const pin = this.#pins.get(peer);
    if (pin) Object.assign(pin, { index, until: null });
    else this.#pins.set(peer, { index, movedAtMs: nowMs, until: null, furthest: null });
  }

  /** A chunk is wanted: progress if no attempt got so far. Sets a pin that was given up again. */
  moved(peer: PeerId, chunk: ReadChunk, nowMs: number): void {
    const furthest = this.#pins.get(peer)?.furthest;
    const isNews = furthest?.snapshot !== chunk.snapshot || chunk.number > furthest.number;
    if (!isNews) return;
    const pin = { index: chunk.snapshot, movedAtMs: nowMs, until: null, furthest: chunk };
    this.#pins.set(peer, pin);
  }

  /** The snapshot is there: the entries up to `until` are to follow from the log. */
  arrived(peer: PeerId, until: LogIndex, nowMs: number): void {
    const pin = this.#pins.get(peer);
    if (pin) Object.assign(pin, { until, movedAtMs: nowMs });
  }

  /** Nothing can be sent for want of room: the disk may need the log to be cut. */
  release(peer: PeerId): void {
    this.#pins.delete(peer);
  }

  /** Ends the pins of peers that get nothing here: no members any more, or another one leads. */
  keepOnly({ peers, sending }: Omit<PinView, 'lastIndex'>): void {
    const present = new Set(peers.map(({ peer }) => peer));
    for (const peer of this.#pins.keys()) {
      if (!present.has(peer) && !sending.has(peer)) this.#pins.delete(peer);
    }
  }

  /**
   * The log must not be cut above this index; null: nobody needs it. Only here is a pin given up, so
   * that the log is cut before the next attempt can pin it again.
   */
  lowest(view: PinView, nowMs: number): LogIndex | null {
    this.keepOnly(view);
    let lowest: LogIndex | null = null;
    for (const [peer, pin] of this.#pins) {
      this.#follow(peer, pin, { view, nowMs });
      if (nowMs - pin.movedAtMs >= stillMsMax) this.#pins.delete(peer);
      else if (this.#pins.has(peer) && (lowest === null || pin.index < lowest)) lowest = pin.index;
    }
    return lowest;
  }

  /** After a transfer: the pin goes up with what the peer holds, and ends where it has caught up. */
  #follow(
    peer: PeerId,
    pin: Pin,
    { view, nowMs }: { readonly view: PinView; readonly nowMs: number },
  ): void {
    const matchIndex = view.peers.find((other) => other.peer === peer)?.matchIndex;
    if (view.sending.has(peer) || matchIndex === undefined || matchIndex < pin.index) return;
    // The stream may have broken after its last chunk: then nobody says that the snapshot is there.
    pin.until ??= view.lastIndex;
    if (matchIndex >= pin.until) this.#pins.delete(peer);
    else if (matchIndex > pin.index) Object.assign(pin, { index: matchIndex, movedAtMs: nowMs });
  }
}
