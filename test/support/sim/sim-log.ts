import type { DataDirectory } from '../../../src/node/cluster/data-directory.ts';
import type { ReplicaInit } from '../../../src/node/replica/index.ts';
import type { LogIdentity, PersistBatch, RaftView } from '../../../src/raft/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import type { Transfers } from './conduct.ts';
import { openInspected } from './inspected-log.ts';
import { allEntries, conductOf, textOfBatch } from './node-log.ts';
import { observedLog } from './observed-log.ts';
import type { SimDisk } from './sim-disk.ts';
import type { Moment, SimNodeInit } from './sim-node-init.ts';

interface SimLogInit {
  readonly init: SimNodeInit;
  readonly self: PeerId;
  readonly disk: SimDisk;
  readonly directory: DataDirectory;
  readonly transfers: Transfers;
  readonly view: () => RaftView | undefined;
  readonly onMoment: (moment: Moment) => void;
}

/** Opens the log of a simulated node, or creates it; it must hold what was durable. */
export async function openSimLog(opening: SimLogInit): Promise<ReplicaInit['log']> {
  const { init, self, disk, directory, transfers, onMoment } = opening;
  const { checker, world, configuration } = init;
  const image = checker.imageOf(self);
  // What hits it from now on may have come too late to be seen.
  const { logDamages } = disk;
  const found = await openExisting(opening);
  if (found === null && image.exists) world.violate(`${self} lost its log`);
  const log = found ?? (await directory.createLog(identityOf(init), configuration));
  const complaint = image.recover(log.recovered, await allEntries(log));
  if (complaint !== null) world.violate(`${self}: ${complaint}`);
  disk.logIsGood(logDamages);
  return observedLog(log, image, {
    onWrite: (batch) => onWrite(opening, batch),
    ...conductOf(checker, self, transfers),
    onInstall: () => onMoment('installs'),
    onCompacted: () => {
      init.counts.compactions++;
      onMoment('compacted');
    },
  });
}

/** Looking at it first is rare: it puts off the steps at which a start may be cut off. */
function openExisting({ init, self, disk, directory }: SimLogInit) {
  const { world } = init;
  if (world.random.intBelow(4) > 0) return directory.openLog();
  return openInspected(directory, disk, (complaint) => world.violate(`${self}: ${complaint}`));
}

function onWrite({ init, self, view, onMoment }: SimLogInit, batch: PersistBatch): void {
  init.world.note(`${self} writes${textOfBatch(batch)}`);
  init.checker.onWrite(self, batch, view());
  onMoment('writes');
}

const identityOf = ({ clusterId, member }: SimNodeInit): LogIdentity => ({
  clusterId,
  nodeId: member.nodeId,
  incarnation: member.incarnation,
});
