export type { Explanations, SeenVote } from './explanation.ts';
export type { Script } from './script.ts';
export { Watching } from './watching.ts';
