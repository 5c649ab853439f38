export { checkHistory } from './check-history.ts';
export type { HistoryVerdict } from './check-history.ts';
export { describeOperation } from './history-operation.ts';
export type { Expectation, HistoryOperation, KeyRequest } from './history-operation.ts';
