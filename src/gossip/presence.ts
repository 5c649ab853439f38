import { encodeMember } from '../wire/index.ts';
import type { MemberRecord } from '../wire/index.ts';
import type { Context } from './context.ts';
import { isEnded } from './members.ts';
import { refutation } from './membership.ts';

/** A conflict is told so often while it lasts. */
const CONFLICT_INTERVAL_MS = 30_000;

/** What this node says of itself: alive, left, alive again; and its answer to rumours. */
export class Presence {
  readonly #context: Context;
  readonly #onEpochRaised: (epoch: number) => void;
  #conflictToldAtMs = -Infinity;

  constructor(context: Context, onEpochRaised: (epoch: number) => void) {
    this.#context = context;
    this.#onEpochRaised = onEpochRaised;
  }

  /** This node's record as an item of a frame. */
  item(): Uint8Array {
    return encodeMember({ record: this.#context.self.record, accuser: '', endedSeconds: 0 });
  }

  become(status: 'alive' | 'left'): void {
    const { self } = this.#context;
    const counter = self.record.counter + (status === 'alive' ? 1 : 0);
    this.#say({ ...self.record, status, counter });
  }

  /** Answers a rumour that would win over this node's own word. */
  answer(rumour: MemberRecord, nowMs: number): void {
    const { awareness, self } = this.#context;
    const mine = self.record;
    if (isTwin(mine, rumour)) {
      this.#tellConflict(rumour, nowMs);
      return;
    }
    const answer = refutation(mine, rumour);
    if (!answer) return;
    if (rumour.status === 'suspect' || rumour.status === 'dead') awareness.add(1);
    this.#say(answer);
    if (answer.epoch === mine.epoch) return;
    this.#context.emit({ kind: 'epochRaised', epoch: answer.epoch });
    this.#onEpochRaised(answer.epoch);
  }

  #say(record: MemberRecord): void {
    this.#context.self.record = record;
    this.#context.lanes.membership.put(record.nodeId, this.item());
    this.#context.emit({ kind: 'member', member: record });
  }

  #tellConflict(other: MemberRecord, nowMs: number): void {
    if (nowMs - this.#conflictToldAtMs < CONFLICT_INTERVAL_MS) return;
    this.#conflictToldAtMs = nowMs;
    this.#context.emit({ kind: 'conflict', nodeId: other.nodeId, other });
  }
}

/**
 * A living process of the same name elsewhere, not this node's past. Refuting it would make the two
 * take turns for ever; the later start stands until it ends.
 */
function isTwin(mine: MemberRecord, rumour: MemberRecord): boolean {
  if (isEnded(rumour)) return false;
  if (rumour.epoch > mine.epoch) return rumour.address !== mine.address;
  const isElsewhere = rumour.address !== mine.address || rumour.incarnation !== mine.incarnation;
  return rumour.status === 'alive' && isElsewhere;
}
