import type { Cancel, Clock, Revision } from '../../shared/index.ts';
import type { ReplicaState } from '../replica/index.ts';
import type { Heard } from './heard.ts';

const pauseMs = 60_000;
/** Keys looked at in one turn of the event loop; a million at once would stall it. */
const keysPerTurn = 5_000;
const turnMs = 20;

export interface ScavengerInit {
  readonly clock: Clock;
  readonly heard: Heard;
  readonly state: () => ReplicaState;
}

/** Walks over all keys now and then, and drops what was heard about others. */
export class Scavenger {
  readonly #init: ScavengerInit;
  #cancel: Cancel = () => undefined;

  constructor(init: ScavengerInit) {
    this.#init = init;
  }

  start(): void {
    this.#cancel = this.#init.clock.after(pauseMs, () => this.#begin());
  }

  stop(): void {
    this.#cancel();
  }

  /** Keys made meanwhile, and those that this node has not applied yet, are above its revision. */
  #begin(): void {
    const { revision } = this.#init.state().machine;
    this.#walk({ live: new Set(), revision, after: undefined });
  }

  #walk(walk: Walk): void {
    const { clock, heard, state } = this.#init;
    const query = { ...(walk.after && { after: walk.after }), limit: keysPerTurn };
    let count = 0;
    for (const { key, createRevision } of state().machine.keys(query)) {
      if (heard.hasBallots(createRevision)) walk.live.add(createRevision);
      walk.after = key;
      count++;
    }
    if (count === keysPerTurn) {
      this.#cancel = clock.after(turnMs, () => this.#walk(walk));
      return;
    }
    heard.scavenge((keyId) => walk.live.has(keyId) || keyId > walk.revision);
    this.start();
  }
}

interface Walk {
  readonly live: Set<Revision>;
  readonly revision: Revision;
  after: Uint8Array | undefined;
}
