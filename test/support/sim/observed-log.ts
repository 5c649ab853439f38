import type { PersistBatch } from '../../../src/raft/index.ts';
import type { ReplicaInit } from '../../../src/node/replica/index.ts';
import type { DiskImage, Rebase } from './disk-image.ts';

export interface LogEvents {
  /** Before it is written. */
  onWrite(batch: PersistBatch): void;
  onWritten(): void;
  /** The base of a snapshot is about to be written: from then on it counts. */
  onInstall(): void;
  /** Before it is cut. */
  onCompact(baseIndex: number, logBytes: number): void;
  onCompacted(): void;
}

/** The real log, with a disk image that is kept in step with what it reports. */
export function observedLog(
  log: ReplicaInit['log'],
  image: DiskImage,
  events: LogEvents,
): ReplicaInit['log'] {
  const rebase = async (what: Rebase, work: () => Promise<void>): Promise<void> => {
    image.rebaseBegins(what);
    await work();
    image.rebaseEnds(what);
  };
  return {
    recovered: log.recovered,
    usage: () => log.usage(),
    read: (from, to, bytesMax) => log.read(from, to, bytesMax),
    close: () => log.close(),
    write: async (batch) => {
      events.onWrite(batch);
      image.writeBegins(batch);
      await log.write(batch);
      image.writeEnds(batch);
      events.onWritten();
    },
    installBase: (base, generation) => {
      events.onInstall();
      const keeps = image.termAt(base.index) === base.term;
      return rebase({ base, keeps }, () => log.installBase(base, generation));
    },
    compact: async (base) => {
      events.onCompact(base.index, log.usage().bytes);
      await rebase({ base, keeps: true }, () => log.compact(base));
      events.onCompacted();
    },
  };
}
