import type { Cancel } from '../../shared/index.ts';
import type { Frame } from './frames.ts';
import type { MemoryNetwork } from './memory-network.ts';
import { peerService } from './rpc.ts';

/** What goes along a pipe: towards the server a frame or the end of them, back also a refusal. */
export type Parcel =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'end' }
  | { readonly kind: 'refusal'; readonly reason: string };

interface FlowInit {
  readonly network: MemoryNetwork;
  readonly from: string;
  readonly to: string;
  /** Batches of Raft messages may vanish: the port allows that they get lost. */
  readonly isLossy: boolean;
  /** The other side was silent for too long, or the connection broke. */
  readonly broke: () => void;
}

interface FlowEvents {
  take(parcel: Parcel): void;
}

interface Underway {
  readonly parcel: Parcel;
  /** Not before this, and not before those ahead of it. */
  readonly arrivesAtMs: number;
  flushed: (() => void) | null;
}

/** Parcels underway beyond this count as waiting in the sender's memory. */
const WINDOW_PARCELS = 16;

const { requestDeserialize } = peerService.Control;

/** One direction of a pipe: in order, delayed, held back by a cut or a reader that pauses. */
export class MemoryFlow {
  readonly #init: FlowInit;
  readonly #events: FlowEvents;
  #underway: Underway[] = [];
  #cancelTimer: Cancel | null = null;
  #cancelSilence: Cancel | null = null;
  #isPaused = false;
  #isOver = false;

  constructor(init: FlowInit, events: FlowEvents) {
    this.#init = init;
    this.#events = events;
  }

  send(parcel: Parcel, flushed: (() => void) | null = null): void {
    if (this.#isOver) return;
    const { network, isLossy } = this.#init;
    const isBatch = parcel.kind === 'frame' && parcel.frame.body === 'batch';
    const fate = network.fateOf(isLossy && isBatch);
    if (fate === 'breaks') {
      network.clock.after(network.delayMs(), this.#init.broke);
      return;
    }
    if (fate === 'vanishes') {
      callLater(flushed);
      return;
    }
    const arrivesAtMs = network.clock.monotonicMs() + network.delayMs();
    const item: Underway = { parcel: this.#copyOf(parcel), arrivesAtMs, flushed };
    this.#underway.push(item);
    if (this.#underway.length <= WINDOW_PARCELS) flush(item);
    this.#plan();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#plan();
  }

  retry(): void {
    const { network, from, to } = this.#init;
    if (this.#cancelSilence === null || network.isCut(from, to)) return;
    this.#cancelSilence();
    this.#cancelSilence = null;
    this.#plan();
  }

  stop(): void {
    this.#isOver = true;
    this.#underway = [];
    this.#cancelTimer?.();
    this.#cancelSilence?.();
  }

  /** As over a wire: nodes must not share bytes that one of them may write to. */
  #copyOf(parcel: Parcel): Parcel {
    if (parcel.kind !== 'frame') return parcel;
    const { network, from } = this.#init;
    const frame: Frame = requestDeserialize(network.encode(parcel.frame, from));
    return { kind: 'frame', frame };
  }

  #plan(): void {
    const first = this.#underway[0];
    if (first === undefined || this.#cancelTimer !== null || this.#cancelSilence !== null) return;
    if (this.#isPaused || this.#isOver) return;
    const { clock } = this.#init.network;
    const inMs = Math.max(0, first.arrivesAtMs - clock.monotonicMs());
    this.#cancelTimer = clock.after(inMs, () => {
      this.#cancelTimer = null;
      this.#arrive();
    });
  }

  #arrive(): void {
    const { network, from, to, broke } = this.#init;
    if (network.isCut(from, to)) {
      this.#cancelSilence = network.clock.after(network.silenceMsMax, broke);
      return;
    }
    if (!this.#isPaused) {
      const item = this.#underway.shift();
      const entering = this.#underway[WINDOW_PARCELS - 1];
      if (entering !== undefined) flush(entering);
      if (item !== undefined) this.#events.take(item.parcel);
    }
    this.#plan();
  }
}

function flush(item: Underway): void {
  callLater(item.flushed);
  item.flushed = null;
}

function callLater(run: (() => void) | null): void {
  if (run !== null) queueMicrotask(run);
}
