import { assert } from './assert.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Raft term: 0 before the first election. */
export type Term = Brand<number, 'Term'>;
/** Position in the Raft log: the first entry has index 1. */
export type LogIndex = Brand<number, 'LogIndex'>;
/** Counter of state changes: +1 per changing command. Event ids and tokens are revisions. */
export type Revision = Brand<number, 'Revision'>;
/** Name of a node as its operator gave it (`--node`). */
export type NodeId = Brand<string, 'NodeId'>;
/** Drawn when a data directory is created: 16 hexadecimal digits. */
export type Incarnation = Brand<string, 'Incarnation'>;
/** Drawn when a cluster is created: 32 hexadecimal digits. */
export type ClusterId = Brand<string, 'ClusterId'>;
/** `nodeId@incarnation`: what Raft counts as one server. A wiped node is another server. */
export type PeerId = Brand<string, 'PeerId'>;

/** On the hot path: the message is made only when it is needed. */
function safe(value: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  assert(false, `${what} must be a safe integer, got ${value}`);
}

export function asTerm(value: number): Term {
  safe(value, 'Term');
  return value as Term;
}

export function asIndex(value: number): LogIndex {
  safe(value, 'Log index');
  return value as LogIndex;
}

export function asRevision(value: number): Revision {
  safe(value, 'Revision');
  return value as Revision;
}

export const asNodeId = (value: string): NodeId => value as NodeId;
export const asIncarnation = (value: string): Incarnation => value as Incarnation;
export const asClusterId = (value: string): ClusterId => value as ClusterId;
export const asPeerId = (value: string): PeerId => value as PeerId;

export function peerIdOf(nodeId: NodeId, incarnation: Incarnation): PeerId {
  return `${nodeId}@${incarnation}` as PeerId;
}
