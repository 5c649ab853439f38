export { runNode } from './run-node.ts';
export type { RunNodeInit } from './run-node.ts';
