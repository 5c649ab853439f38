import type { RaftView } from '../../raft/index.ts';

/** The configuration in force stays, and nobody but its voters is needed for anything. */
export const isSettled = ({
  configuration: { index, configuration },
  commitIndex,
}: Pick<RaftView, 'configuration' | 'commitIndex'>): boolean =>
  index <= commitIndex && configuration.outgoingVoters.length === 0;
