import { waitFor } from '../e2e/index.ts';
import type { Arena } from './arena.ts';

const stormMs = 25_000;
const calmMs = 4000;
/** A majority runs, hears each other and has nothing else to do. */
const recoveryMsMax = 30_000;

/** From time to time all faults end: throws unless writes are acknowledged again soon. */
export async function runCalms(arena: Arena): Promise<void> {
  while (!arena.isOver()) {
    await arena.rest(stormMs);
    await arena.calm(async () => {
      const sinceMs = performance.now();
      arena.note('all faults are over for a while');
      await firstWrite(arena);
      if (arena.isOver()) return;
      arena.tally.recovered(performance.now() - sinceMs);
      await arena.rest(calmMs);
    });
  }
}

async function firstWrite(arena: Arena): Promise<void> {
  const before = arena.tally.writeCount;
  const isWritten = (): boolean => arena.isOver() || arena.tally.writeCount > before;
  await waitFor('a write is acknowledged after all faults were over', isWritten, recoveryMsMax);
}
