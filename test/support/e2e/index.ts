export { Cluster, freePorts } from './cluster.ts';
export type { Member } from './cluster.ts';
export { Daemon, mainFile, projectRoot, scriptsDirectory, startChild } from './daemon.ts';
export { ask, form, query } from './http.ts';
export type { Answer, Ask } from './http.ts';
export { freePort, isPortFree } from './ports.ts';
export { waitFor } from './wait-for.ts';
export { useWorkshop, Workshop } from './workshop.ts';
