import { encodeConfiguration } from '../wire/index.ts';
import type { LogIndex } from '../shared/index.ts';
import { costOf } from './costs.ts';
import { next } from './indexes.ts';
import type { Leadership } from './leadership.ts';
import { replicateToAll } from './replication.ts';
import type { RaftState } from './state.ts';
import type { Configuration, EntryKind } from './types.ts';

const NO_PAYLOAD = new Uint8Array(0);

/** Adds one entry of the leader's own term to its log; it is not sent yet. */
export function appendOwn(
  state: RaftState,
  leadership: Leadership,
  kind: EntryKind,
  payload: Uint8Array,
): LogIndex {
  const index = next(state.log.lastIndex);
  state.log.append({ index, term: state.term, kind, payload });
  leadership.uncommittedBytes += costOf(payload.length);
  return index;
}

/** The first entry of a term: only through it can earlier entries be committed (Raft 8). */
export function appendNoop(state: RaftState, leadership: Leadership): void {
  appendOwn(state, leadership, 'noop', NO_PAYLOAD);
}

/** Appends a configuration, which is in force from here on, and sends it. */
export function appendConfiguration(
  state: RaftState,
  leadership: Leadership,
  configuration: Configuration,
): LogIndex {
  const { lastIndex } = state.log;
  const index = appendOwn(state, leadership, 'configuration', encodeConfiguration(configuration));
  state.configurations.push({ index, configuration });
  state.announceConfiguration();
  leadership.lease.end();
  leadership.follow(state.configurations.roles, state.self, lastIndex);
  replicateToAll(state, leadership);
  return index;
}
