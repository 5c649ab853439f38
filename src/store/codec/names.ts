import type { EventStatus, NotificationState, SampleStatus, Verdict } from '../../shared/index.ts';
import type { Compare, FailureCode } from '../types.ts';

/** Names in the order of their protobuf numbers, which begin at 1. */
export const statuses: readonly EventStatus[] = ['UP', 'DOWN', 'EMPTY', 'EMPTY_RECOVER'];
export const sampleStatuses: readonly SampleStatus[] = ['UP', 'DOWN', 'EMPTY'];
export const verdicts: readonly (Verdict | 'ABSTAIN')[] = [
  'UP',
  'DOWN',
  'EMPTY',
  'LESS_THAN_MINSAMPLE',
  'NOT_FILL_SAMPLES',
  'NO_EMPTY_IN_SAMPLES',
  'ABSTAIN',
];
export const targets: readonly Compare['target'][] = [
  'createRevision',
  'modRevision',
  'version',
  'value',
];
export const relations: readonly Compare['relation'][] = ['equal', 'notEqual', 'less', 'greater'];
export const outcomes = ['done', 'failed', 'retry'] as const;
export const closedStates = ['superseded', 'failed'] as const;
export const notificationStates: readonly NotificationState[] = [
  'pending',
  'running',
  'done',
  'failed',
  'superseded',
  'none',
];

export const failureCodes: readonly FailureCode[] = [
  'PARAM_INVALID',
  'TOO_LARGE',
  'STORE_FULL',
  'CONFLICT',
  'NOT_FOUND',
  'SESSION_EXPIRED',
];

/** Protobuf number of a name; 0 for one that is not in the list. */
export const numberOf = <T>(names: readonly T[], name: T): number => names.indexOf(name) + 1;
/** Name of a protobuf number; undefined for 0 and for numbers that are not known. */
export const nameOf = <T>(names: readonly T[], number: number): T | undefined => names[number - 1];
