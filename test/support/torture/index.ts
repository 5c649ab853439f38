export { canEnter, enterCommand, Namespaces } from './namespaces.ts';
export { patchBuild, pinBuild } from './pinned-build.ts';
export { Torture } from './torture.ts';
export type { TortureOptions } from './torture.ts';
export { markOf, proveAcks } from './ack-proof.ts';
export type { AckProof } from './ack-proof.ts';
export { tell } from './request.ts';
export { Trace, parseTrace, whyNoTrace } from './strace.ts';
export type { SystemCall } from './strace.ts';
