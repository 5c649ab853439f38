import type { PeerView } from '../../raft/index.ts';
import type { LogIndex, PeerId } from '../../shared/index.ts';

/** A pin that has not moved for this long is given up. */
const stillMsMax = 600_000;

interface Pin {
  /** Entries above this one stay. */
  index: LogIndex;
  movedAtMs: number;
  /** Set when the snapshot is there: the pin ends once the peer holds this entry. */
  until: LogIndex | null;
}

/**
 * Keeps the log behind a snapshot until the peer that got it has caught up; else the log would be
 * cut beyond it again, and it would need the next snapshot, for ever. A peer that makes no progress
 * for 10 minutes holds up nothing any more. Times are monotonic milliseconds.
 */
export class LogPins {
  readonly #pins = new Map<PeerId, Pin>();

  /** Pins the log above `index` for a transfer that begins or goes on. */
  pin(peer: PeerId, index: LogIndex, nowMs: number): void {
    this.#pins.set(peer, { index, movedAtMs: nowMs, until: null });
  }

  /** The transfer got on. */
  moved(peer: PeerId, nowMs: number): void {
    const pin = this.#pins.get(peer);
    if (pin) pin.movedAtMs = nowMs;
  }

  /** The snapshot is there: the entries up to `until` are to follow from the log. */
  arrived(peer: PeerId, until: LogIndex, nowMs: number): void {
    const pin = this.#pins.get(peer);
    if (pin) Object.assign(pin, { until, movedAtMs: nowMs });
  }

  release(peer: PeerId): void {
    this.#pins.delete(peer);
  }

  /** The log must not be cut above this index; null: nobody needs it. `peers`: as the leader sees them. */
  lowest(peers: readonly PeerView[], nowMs: number): LogIndex | null {
    let lowest: LogIndex | null = null;
    for (const [peer, pin] of this.#pins) {
      if (pin.until !== null) this.#follow(peer, pin, { peers, nowMs });
      if (nowMs - pin.movedAtMs >= stillMsMax) this.#pins.delete(peer);
      else if (this.#pins.has(peer) && (lowest === null || pin.index < lowest)) lowest = pin.index;
    }
    return lowest;
  }

  /** Lets the pin go up with what the peer holds, and ends it where the peer has caught up. */
  #follow(
    peer: PeerId,
    pin: Pin,
    { peers, nowMs }: { readonly peers: readonly PeerView[]; readonly nowMs: number },
  ): void {
    const matchIndex = peers.find((view) => view.peer === peer)?.matchIndex ?? null;
    if (matchIndex === null || matchIndex >= (pin.until ?? 0)) this.#pins.delete(peer);
    else if (matchIndex > pin.index) Object.assign(pin, { index: matchIndex, movedAtMs: nowMs });
  }
}
