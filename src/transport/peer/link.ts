import type { Cancel, Logger, PeerId, Random } from '../../shared/index.ts';
import type { Frame } from './frames.ts';
import { GreetedStream } from './greeted-stream.ts';
import type { DialContext, StreamEnd, StreamTarget } from './greeted-stream.ts';
import { RECONNECT_MS_MAX, RECONNECT_MS_MIN, STABLE_AFTER_MS } from './limits.ts';
import type { LogGate } from './log-gate.ts';
import type { OutdatedBy } from './peer-transport.ts';

/** A stream to a known peer. */
export interface LinkTarget extends StreamTarget {
  readonly peer: PeerId;
}

export interface LinkContext extends DialContext {
  readonly random: Random;
  readonly logger: Logger;
  readonly logGate: LogGate;
  /** A peer says that this node's data is from before a recovery of its cluster. */
  readonly onOutdated: (by: OutdatedBy) => void;
}

export interface LinkEvents {
  /** Frames can be written now: the link opened, or the socket took some. */
  onRoom(): void;
  onFrame(frame: Frame): void;
  /** The stream broke or an attempt failed: what was written may be lost. It tries again. */
  onDown(reason: string): void;
}

/** Keeps one stream to a peer standing, with growing pauses between attempts, until closed. */
export class Link {
  readonly #context: LinkContext;
  readonly #target: LinkTarget;
  readonly #events: LinkEvents;
  #stream: GreetedStream | null = null;
  /** null: it does not pause. */
  #cancelRetry: Cancel | null = null;
  /** The last attempt did not wait for its time. */
  #isHurried = false;
  #openedAtMs: number | null = null;
  #failuresInRow = 0;

  constructor(context: LinkContext, target: LinkTarget, events: LinkEvents) {
    this.#context = context;
    this.#target = target;
    this.#events = events;
    this.#dial({ isHurried: false });
  }

  get isOpen(): boolean {
    return this.#openedAtMs !== null;
  }

  get hasRoom(): boolean {
    return this.#stream?.hasRoom === true;
  }

  /** Only when there is room. `bytes`: about how large the frame is. */
  write(frame: Frame, bytes: number): void {
    this.#stream?.write(frame, bytes);
  }

  /** The peer has shown that it is up: a pause ends, but never two in a row. */
  hurry(): void {
    if (this.#cancelRetry === null || this.#isHurried) return;
    this.#cancelRetry();
    this.#dial({ isHurried: true });
  }

  close(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#stream?.close();
    this.#stream = null;
    this.#openedAtMs = null;
  }

  #dial({ isHurried }: { isHurried: boolean }): void {
    this.#cancelRetry = null;
    this.#isHurried = isHurried;
    this.#stream = new GreetedStream(this.#context, this.#target, {
      onOpen: () => this.#opened(),
      onFrame: (frame) => this.#events.onFrame(frame),
      onFlushed: () => this.#events.onRoom(),
      onEnd: (end) => this.#broke(end),
    });
  }

  #opened(): void {
    const { clock, logger } = this.#context;
    this.#openedAtMs = clock.monotonicMs();
    logger.debug({ ...this.#target }, 'Connected to a peer');
    this.#events.onRoom();
  }

  #broke(end: StreamEnd): void {
    this.#log(end);
    this.#failuresInRow = this.#wasStable() ? 1 : this.#failuresInRow + 1;
    this.#stream = null;
    this.#openedAtMs = null;
    const redial = (): void => this.#dial({ isHurried: false });
    this.#cancelRetry = this.#context.clock.after(this.#pauseMs(end), redial);
    this.#events.onDown(end.reason);
    const { peer, address } = this.#target;
    if (end.newer !== undefined) this.#context.onOutdated({ cluster: end.newer, peer, address });
  }

  #wasStable(): boolean {
    const { clock } = this.#context;
    return this.#openedAtMs !== null && clock.monotonicMs() - this.#openedAtMs >= STABLE_AFTER_MS;
  }

  /** Doubles from failure to failure; half of it is random, so that nodes do not come in step. */
  #pauseMs(end: StreamEnd): number {
    const doublings = Math.min(this.#failuresInRow - 1, 10);
    const ceilingMs = end.refused
      ? RECONNECT_MS_MAX
      : Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** doublings);
    return ceilingMs / 2 + this.#context.random.intBelow(ceilingMs / 2 + 1);
  }

  #log(end: StreamEnd): void {
    const { logger, logGate } = this.#context;
    const { peer, address, rpc } = this.#target;
    const { reason } = end;
    const fields = { peer, address, reason };
    const place = `${peer.split('@')[0] ?? peer} at ${address}`;
    // Its streams fail together: one of them speaks for all.
    if (end.refused && logGate.passes(`refused ${peer} ${reason}`)) {
      logger.warn(fields, `Refused by ${place}: ${reason}`);
    } else if (!end.refused && logGate.passes(`down ${peer}`)) {
      const found = this.isOpen ? 'Lost the connection to' : 'Cannot reach';
      logger.info(fields, `${found} ${place}, trying again: ${reason}`);
    } else {
      logger.debug({ ...fields, rpc }, `The ${rpc} stream to ${place} ended: ${reason}`);
    }
  }
}
