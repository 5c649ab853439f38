export { checkScript } from './check-script.ts';
export type { CheckOptions } from './check-script.ts';
export type { RunnerExit } from './runner-process.ts';
export { startRunner } from './start-runner.ts';
export type { RunnerInit } from './start-runner.ts';
export type { JobKind, RunnerCounts, RunResult, ScriptJob, ScriptRunner } from './types.ts';
