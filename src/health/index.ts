export { Board } from './board.ts';
export type { NodeReport, VerdictEntry } from './board.ts';
export { Deadlines } from './deadlines.ts';
export { decide, reconsider } from './decide.ts';
export type { Reconsidered } from './decide.ts';
export { keyStateOf, noActivity, noHold } from './decision-types.ts';
export type {
  Activity,
  Ballot,
  DecideInput,
  Decision,
  HoldState,
  KeyState,
  Member,
} from './decision-types.ts';
export { judgeAttempt, retryDelayMs } from './notify-policy.ts';
export type { AttemptEnd } from './notify-policy.ts';
export { phaseOf } from './phase.ts';
export {
  countZones,
  effectiveQuorum,
  freshnessLimitMs,
  quorumShortfall,
  requiredZones,
  votingMembers,
} from './quorum.ts';
export { reportBasis, SampleWindow, verdictOf } from './sample-window.ts';
export type { Sample, WindowSettings } from './sample-window.ts';
export { Schedule } from './schedule.ts';
export type { ScheduleSettings } from './schedule.ts';
export { notifyInvocation, sampleStatusOf, valueArgument, verifyInvocation } from './script-abi.ts';
export type { NotifyCall } from './script-abi.ts';
export { StallGuard, stallLateMsMax } from './stall-guard.ts';
export { awaitsReport, castVotes } from './votes.ts';
export type { Vote } from './votes.ts';
