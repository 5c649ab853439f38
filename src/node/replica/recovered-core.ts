import { RaftCore } from '../../raft/index.ts';
import type { RecoveredLog } from '../../raft/index.ts';
import type { LogIndex, PeerId } from '../../shared/index.ts';
import { peerIdOf } from '../../shared/index.ts';
import type { ReplicaInit } from './replica-init.ts';

export const ownPeerId = ({ identity }: Pick<RecoveredLog, 'identity'>): PeerId =>
  peerIdOf(identity.nodeId, identity.incarnation);

/** A Raft core that goes on where the log and the state (at `appliedIndex`) ended. */
export function coreFrom(
  { log, settings, random }: Pick<ReplicaInit, 'log' | 'settings' | 'random'>,
  appliedIndex: LogIndex,
): RaftCore {
  const { hardState, base, termRuns, lastIndex, entryBytes, configurations } = log.recovered;
  const recovered = { hardState, base, termRuns, lastIndex, entryBytes, configurations };
  const self = ownPeerId(log.recovered);
  return new RaftCore({ self, settings: settings.raft, appliedIndex, ...recovered }, random);
}
