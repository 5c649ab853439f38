import type { ReplicaInit } from '../../../src/node/replica/index.ts';
import type { Entry, PersistBatch } from '../../../src/raft/index.ts';
import type { Logger, PeerId } from '../../../src/shared/index.ts';
import { asIndex } from '../../../src/shared/index.ts';
import type { Checker } from './checker.ts';
import type { Transfers } from './conduct.ts';
import type { LogEvents } from './observed-log.ts';
import type { World } from './world.ts';

/** Reads a log from end to end, as no restart does: what was durable must be readable. */
export async function allEntries(log: ReplicaInit['log']): Promise<readonly Entry[]> {
  const { base, lastIndex } = log.recovered;
  const entries: Entry[] = [];
  for (let next = base.index + 1; next <= lastIndex; next = base.index + 1 + entries.length) {
    entries.push(...(await log.read(asIndex(next), lastIndex, 16 * 1024)));
  }
  return entries;
}

/** What a node logs goes into the trace. */
export function tracingLogger(world: World, name: string): Logger {
  const say = (level: string) => (fields: Readonly<Record<string, unknown>>, text: string) => {
    const shown = Object.entries(fields).map(
      ([field, value]) => `${field} ${value instanceof Error ? value.message : String(value)}`,
    );
    world.note(`${name} ${level}: ${text} ${shown.join(', ')}`);
  };
  return { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') };
}

/** Lets the checker see what a node does with its log while it leads and sends snapshots. */
export const conductOf = (
  checker: Checker,
  self: PeerId,
  transfers: Transfers,
): Pick<LogEvents, 'onWritten' | 'onCompact'> => ({
  onWritten: () => checker.conduct.onWritten(self),
  onCompact: (baseIndex, logBytes) =>
    checker.onConduct(self, transfers.onCompact(baseIndex, logBytes)),
});

export function textOfBatch({ entries, hardState }: PersistBatch): string {
  const [first, last] = [entries[0], entries.at(-1)];
  const range = first && last ? ` ${first.index}..${last.index}@${last.term}` : '';
  const vote = hardState ? ` term ${hardState.term} vote ${hardState.vote ?? '-'}` : '';
  return range + vote;
}
