export { canEnter, enterCommand, Namespaces } from './namespaces.ts';
export { pinBuild } from './pinned-build.ts';
export { Torture } from './torture.ts';
export type { TortureOptions } from './torture.ts';
