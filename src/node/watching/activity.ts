import type { Activity } from '../../health/index.ts';
import { noActivity } from '../../health/index.ts';
import type { EventKind, EventRecord, Revision } from '../../shared/index.ts';
import { kindOf } from '../../shared/index.ts';
import type { StateMachine } from '../../store/index.ts';

const kinds: readonly EventKind[] = ['availability', 'emptiness'];

/**
 * When notifications of a key ended, on this process's own monotonic clock; events of before its
 * start count as ended at its start.
 */
export class NotificationActivity {
  readonly #endedAtMs = new Map<string, number>();
  readonly #startedAtMs: number;

  constructor(nowMs: number) {
    this.#startedAtMs = nowMs;
  }

  /** A notification ended, or an event without one was recorded. */
  ended(event: EventRecord, nowMs: number): void {
    this.#endedAtMs.set(slot(event.key, kindOf(event.to)), nowMs);
  }

  /** The key is gone: nothing is remembered of it. */
  forget(key: string): void {
    for (const kind of kinds) this.#endedAtMs.delete(slot(key, kind));
  }

  of(key: string, machine: StateMachine): Record<EventKind, Activity> {
    const open = machine.openNotifications().filter((event) => event.key === key);
    const health = machine.health(key);
    return {
      availability: this.#one('availability', health?.lastAvailabilityEvent ?? null, {
        key,
        machine,
        open,
      }),
      emptiness: this.#one('emptiness', health?.lastEmptinessEvent ?? null, { key, machine, open }),
    };
  }

  #one(
    kind: EventKind,
    last: Revision | null,
    { key, machine, open }: { key: string; machine: StateMachine; open: readonly EventRecord[] },
  ): Activity {
    const running = open.find((event) => kindOf(event.to) === kind);
    const event = last === null ? undefined : machine.event(last);
    if (running === undefined && last === null) return noActivity;
    return {
      open:
        running === undefined ? null : { eventId: running.id, state: running.notification.state },
      endedAtMs: this.#endedAtMs.get(slot(key, kind)) ?? (last === null ? null : this.#startedAtMs),
      superseded: event?.notification.state === 'superseded' ? event.to : null,
    };
  }
}

const slot = (key: string, kind: EventKind): string => `${kind}:${key}`;
