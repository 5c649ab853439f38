export type { Applied } from './command-client.ts';
export { Replica } from './replica.ts';
export type { ReplicaEvents, ReplicaInit } from './replica.ts';
export { replicaSettingsFor } from './settings.ts';
export type { ReplicaSettings } from './settings.ts';
export type { ReplicaState } from './state.ts';
