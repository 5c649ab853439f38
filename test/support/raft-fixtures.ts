import type {
  Configuration,
  Entry,
  EntryKind,
  HardState,
  IndexedConfiguration,
  Member,
  MemberRole,
  RaftInit,
  RaftSettings,
} from '../../src/raft/index.ts';
import { raftSettingsFor } from '../../src/raft/index.ts';
import {
  asIncarnation,
  asIndex,
  asNodeId,
  asTerm,
  fromUtf8,
  peerIdOf,
  utf8,
} from '../../src/shared/index.ts';
import type { LogIndex, PeerId } from '../../src/shared/index.ts';

/** `a` is the peer `a@1`; `a2` the second incarnation of the same node, `a@2`. */
export function peer(name: string): PeerId {
  const [nodeId = '', incarnation = '1'] = name.split(/(\d+)$/);
  return peerIdOf(asNodeId(nodeId), asIncarnation(incarnation));
}

export function member(name: string, role: MemberRole = 'voter', port = name): Member {
  const [nodeId = '', incarnation = '1'] = name.split(/(\d+)$/);
  return {
    nodeId: asNodeId(nodeId),
    incarnation: asIncarnation(incarnation),
    role,
    zone: 'z',
    raftAddress: `${port}:1`,
    httpAddress: `${port}:2`,
    gossipAddress: `${port}:3`,
  };
}

/** `configurationOf('a b c', 'd')`: voters and learners by name. */
export function configurationOf(voters: string, learners = '', observers = ''): Configuration {
  const named = (names: string, role: MemberRole): Member[] =>
    names
      .split(' ')
      .filter((name) => name !== '')
      .map((name) => member(name, role));
  const members = [
    ...named(voters, 'voter'),
    ...named(learners, 'learner'),
    ...named(observers, 'observer'),
  ];
  return { members, outgoingVoters: [], removed: [] };
}

export function entry(
  index: number,
  term: number,
  text = `${index}@${term}`,
  kind: EntryKind = 'command',
): Entry {
  return { index: asIndex(index), term: asTerm(term), kind, payload: utf8(text) };
}

export const textOf = ({ payload }: Pick<Entry, 'payload'>): string => fromUtf8(payload);

export const testSettings: RaftSettings = {
  ...raftSettingsFor('lan'),
  inflightMessagesMax: 4,
  uncommittedBytesMax: 100_000,
  pendingReadsMax: 8,
};

/** Term runs and sizes of entries, as a recovered log reports them. */
export function describeEntries(
  entries: readonly Entry[],
): Pick<RaftInit, 'termRuns' | 'entryBytes'> {
  const termRuns: { term: Entry['term']; firstIndex: LogIndex }[] = [];
  for (const { term, index } of entries) {
    if (termRuns.at(-1)?.term !== term) termRuns.push({ term, firstIndex: index });
  }
  return { termRuns, entryBytes: entries.map(({ payload }) => payload.length) };
}

/** Init of a node whose log holds entries 1.. of the given terms. */
export function initOf(
  self: string,
  configuration: Configuration,
  options: {
    readonly terms?: readonly number[];
    readonly hardState?: HardState;
    readonly applied?: number;
    readonly configurations?: readonly IndexedConfiguration[];
    readonly settings?: Partial<RaftSettings>;
  } = {},
): RaftInit {
  const { terms = [], applied = 0 } = options;
  const entries = terms.map((term, position) => entry(position + 1, term));
  const term = asTerm(terms.at(-1) ?? 0);
  return {
    self: peer(self),
    settings: { ...testSettings, ...options.settings },
    hardState: options.hardState ?? { term, vote: null },
    base: {
      index: asIndex(0),
      term: asTerm(0),
      configuration: { index: asIndex(0), configuration },
    },
    ...describeEntries(entries),
    lastIndex: asIndex(entries.length),
    configurations: options.configurations ?? [],
    appliedIndex: asIndex(applied),
  };
}
