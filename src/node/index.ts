export { recover, showLog, systemOffline, verifyData } from './offline/index.ts';
export { runNode } from './run-node.ts';
export type { RunNodeInit } from './run-node.ts';
