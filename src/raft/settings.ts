import type { RaftSettings } from './types.ts';

/** How far apart the members are. */
export type RaftPreset = 'local' | 'lan' | 'wan';

const MIB = 1024 * 1024;

const timesOf = (factor: number): Pick<RaftSettings, 'heartbeatMs' | 'electionTimeoutMsMin'> => ({
  heartbeatMs: 50 * factor,
  electionTimeoutMsMin: 250 * factor,
});

/**
 * Settings that fit a distance: `lan` beats every 50 ms and elects after 250-500 ms, `wan` takes
 * five times that, `local` (all on one machine) is as brisk as `lan`.
 */
export function raftSettingsFor(preset: RaftPreset): RaftSettings {
  return {
    ...timesOf(preset === 'wan' ? 5 : 1),
    appendBytesMax: MIB,
    // A full window makes the next message larger, not later: deep pipelines only add queueing.
    inflightMessagesMax: 32,
    inflightBytesMax: 8 * MIB,
    uncommittedBytesMax: 64 * MIB,
    pendingReadsMax: 16_384,
    leaseReads: false,
  };
}
