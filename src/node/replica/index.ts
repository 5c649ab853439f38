export type { Applied } from './command-client.ts';
export type { DigestMark } from './digest-marks.ts';
export { roomOf } from './disk-room.ts';
export type { DiskRoom } from './disk-room.ts';
export { Replica } from './replica.ts';
export type { ReplicaInit, ReplicaObserver } from './replica-init.ts';
export { replicaSettingsFor } from './settings.ts';
export type { ReplicaSettings } from './settings.ts';
export type { ReplicaState } from './state.ts';
