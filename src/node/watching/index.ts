export type { Explanations } from './explanation.ts';
export type { Script } from './script.ts';
export { Watching } from './watching.ts';
