import type { Activity } from '../../health/index.ts';
import { noActivity } from '../../health/index.ts';
import type { EventKind, EventRecord, Revision } from '../../shared/index.ts';
import { kindOf } from '../../shared/index.ts';
import type { StoreView } from '../../store/index.ts';

const kinds: readonly EventKind[] = ['availability', 'emptiness'];

type Ledger = Pick<StoreView, 'health' | 'event' | 'openNotificationsOf'>;

/**
 * When notifications of a key ended, on this process's own monotonic clock; those whose end it did
 * not see count as ended when it began to look.
 */
export class NotificationActivity {
  readonly #endedAtMs = new Map<string, number>();
  #beganAtMs: number;

  constructor(nowMs: number) {
    this.#beganAtMs = nowMs;
  }

  /** A notification ended, or an event without one was recorded. */
  ended(event: EventRecord, nowMs: number): void {
    this.#endedAtMs.set(slot(event.key, kindOf(event.to)), nowMs);
  }

  /** The key is gone: nothing is remembered of it. */
  forget(key: string): void {
    for (const kind of kinds) this.#endedAtMs.delete(slot(key, kind));
  }

  /** The state was replaced: what ended on the way to it was not seen. */
  beginAgain(nowMs: number): void {
    this.#endedAtMs.clear();
    this.#beganAtMs = nowMs;
  }

  of(key: string, ledger: Ledger): Record<EventKind, Activity> {
    const open = ledger.openNotificationsOf(key);
    const health = ledger.health(key);
    const of = (kind: EventKind, last: Revision | null): Activity => {
      const running = open.find(
        // A script of an earlier key of this name keeps events of both kinds waiting.
        (event) => kindOf(event.to) === kind || event.createRevision !== health?.createRevision,
      );
      return this.#activity(slot(key, kind), running, last === null ? null : { last, ledger });
    };
    return {
      availability: of('availability', health?.lastAvailabilityEvent ?? null),
      emptiness: of('emptiness', health?.lastEmptinessEvent ?? null),
    };
  }

  #activity(
    name: string,
    running: EventRecord | undefined,
    past: { readonly last: Revision; readonly ledger: Ledger } | null,
  ): Activity {
    if (running === undefined && past === null) return noActivity;
    const open = running && { eventId: running.id, state: running.notification.state };
    const event = past?.ledger.event(past.last);
    return {
      open: open ?? null,
      endedAtMs: past === null ? null : (this.#endedAtMs.get(name) ?? this.#beganAtMs),
      superseded: event?.notification.state === 'superseded' ? event.to : null,
    };
  }
}

const slot = (key: string, kind: EventKind): string => `${kind}:${key}`;
