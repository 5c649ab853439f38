import { kindOf } from '../shared/index.ts';
import type { EventStatus } from '../shared/index.ts';
import { oppositeOf } from './decision-types.ts';
import type { Activity, DecideInput, Hold } from './decision-types.ts';

/** What still stands between an agreement and its event; nothing: the event may be proposed. */
export interface Blocker {
  readonly text: string;
  /** It ends by itself after this long; null: when something happens. */
  readonly endsInMs: number | null;
}

interface Agreement {
  readonly target: EventStatus;
  readonly previous: Hold | null;
  /** See `backedSinceMs` of the tally. */
  readonly backedSinceMs: number;
}

/** Goes on with `previous` while target and value are the same, else starts now. */
export function continueHold(
  input: DecideInput,
  { target, previous, backedSinceMs }: Agreement,
): Hold {
  const { valueRevision } = input.key;
  const stalledAtMs = input.self.stalledAtMs ?? Number.NEGATIVE_INFINITY;
  const continues = previous?.target === target && previous.valueRevision === valueRevision;
  const sinceMs = continues ? Math.max(previous.sinceMs, stalledAtMs, backedSinceMs) : input.nowMs;
  return { target, valueRevision, sinceMs };
}

export function blockersOf(input: DecideInput, hold: Hold): readonly Blocker[] {
  const activity = input.activity[kindOf(hold.target)];
  if (activity.open) return [openBlocker(activity.open)];
  if (activity.superseded === oppositeOf[hold.target]) return [];
  return [holdBlocker(input, hold), intervalBlocker(input, activity)].filter((b) => b !== null);
}

function openBlocker(open: NonNullable<Activity['open']>): Blocker {
  const text = `the notification of event ${open.eventId} is ${open.state}`;
  return { text, endsInMs: null };
}

function holdBlocker(input: DecideInput, hold: Hold): Blocker | null {
  const leftMs = hold.sinceMs + input.settings.eventHoldMs - input.nowMs;
  if (leftMs <= 0) return null;
  return { text: `it must last ${Math.ceil(leftMs)} ms more`, endsInMs: leftMs };
}

function intervalBlocker(input: DecideInput, activity: Activity): Blocker | null {
  if (activity.endedAtMs === null) return null;
  const leftMs = activity.endedAtMs + input.settings.eventIntervalMs - input.nowMs;
  if (leftMs <= 0) return null;
  const text = `the interval after the last event of its kind lasts ${Math.ceil(leftMs)} ms more`;
  return { text, endsInMs: leftMs };
}

/** When all blockers that end by themselves have ended; null: one of them waits for something. */
export function blockedForMs(blockers: readonly Blocker[]): number | null {
  let longestMs = 0;
  for (const { endsInMs } of blockers) {
    if (endsInMs === null) return null;
    longestMs = Math.max(longestMs, endsInMs);
  }
  return Math.ceil(longestMs);
}
