import type { Random } from '../../../src/shared/index.ts';
import type { EventShown, NotifyRuns } from '../e2e/index.ts';
import { freePort, TcpService } from '../e2e/index.ts';
import { between, oneOf } from './arena.ts';
import type { Arena } from './arena.ts';

export interface WatchedService {
  readonly key: string;
  readonly service: TcpService;
  isUp: boolean;
  /** How often it was stopped. */
  stopCount: number;
}

/** Real services that keys name; all nodes reach them at all times. */
export async function startServices(count: number, host: string): Promise<WatchedService[]> {
  const watched: WatchedService[] = [];
  for (let i = 1; i <= count; i++) {
    const service = new TcpService(await freePort(), host);
    await service.start();
    watched.push({ key: `watched/${i}`, service, isUp: true, stopCount: 0 });
  }
  return watched;
}

/** Stops services and starts them again, far enough apart that most changes become events. */
export async function toggleServices(
  arena: Arena,
  watched: readonly WatchedService[],
  random: Random,
): Promise<void> {
  while (!arena.isOver()) {
    await arena.rest(between(3000, 8000, random));
    if (arena.isOver()) return;
    const one = oneOf(watched, random);
    arena.note(`the service of ${one.key} goes ${one.isUp ? 'down' : 'up'}`);
    if (one.isUp) one.stopCount++;
    await (one.isUp ? one.service.stop() : one.service.start());
    one.isUp = !one.isUp;
  }
}

/**
 * Throws unless the events of the key, newest first, go from one state to the other, none twice, and
 * none without the service having changed.
 */
export function checkEvents(
  events: readonly EventShown[],
  { key, stopCount }: WatchedService,
): void {
  const complain = (what: string): never => {
    const shown = events.map(({ id, from, to }) => `${id} ${from}>${to}`).join(', ');
    throw new Error(`The events of ${key} are wrong: ${what}; newest first: ${shown}`);
  };
  const flips = events.filter(({ to }) => to === 'UP' || to === 'DOWN').reverse();
  for (const [i, { to }] of flips.entries()) {
    if (to !== (i % 2 === 0 ? 'DOWN' : 'UP')) complain(`event ${i + 1} is ${to}`);
  }
  const downs = flips.filter(({ to }) => to === 'DOWN').length;
  if (downs > stopCount) complain(`${downs} times DOWN, but it was stopped ${stopCount} times`);
  const ids = new Set(events.map(({ id }) => id));
  if (ids.size !== events.length) complain('one is there twice');
}

/** Throws when a script ran for what is no event, or for another one than the event says. */
export function checkRuns(runs: NotifyRuns, events: readonly EventShown[]): void {
  const byToken = new Map(events.map((event) => [event.token, event]));
  for (const { token, args } of runs.all()) {
    const event = byToken.get(token);
    if (event === undefined)
      throw new Error(`A script ran for ${token}, which no node has: an event was lost`);
    const [, key, , to] = args;
    if (key !== event.key || to !== event.to) {
      throw new Error(
        `A script ran for ${token} with ${args.join(' ')}: it is ${event.key} ${event.to}`,
      );
    }
  }
}
