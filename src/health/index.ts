export { Board } from './board.ts';
export type { BoardLimits, NodeReport, ReportSeen, VerdictEntry } from './board.ts';
export { decide, reconsider } from './decide.ts';
export type { Reconsidered } from './decide.ts';
export { keyStateOf, noActivity, noHold } from './decision-types.ts';
export type {
  Activity,
  Ballot,
  BallotReport,
  DecideInput,
  Decision,
  Hold,
  HoldState,
  KeyId,
  KeyState,
  Member,
  Self,
} from './decision-types.ts';
export { judgeAttempt, retryDelayMs } from './notify-policy.ts';
export type { AttemptEnd, AttemptOutcome } from './notify-policy.ts';
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
export type { Invocation, NotifyCall, VerifyCall } from './script-abi.ts';
export { StallGuard, stallLateMsMax } from './stall-guard.ts';
export type { StallSettings } from './stall-guard.ts';
