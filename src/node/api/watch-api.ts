import type {
  EventJson,
  EventQuery,
  HeardVerdict,
  KeyConsensus,
  KeyHealthView,
  KeyQuery,
  KeySamples,
  WatchApi,
} from '../../http/index.ts';
import type { KeyHealth, Revision } from '../../shared/index.ts';
import { fromUtf8, utf8 } from '../../shared/index.ts';
import type { KeyRecord } from '../../store/index.ts';
import { eventToJson } from '../../store/index.ts';
import type { ClusterMember } from '../cluster-member.ts';
import type { CurrentMember } from './current-member.ts';
import { healthOfKey, healthOfKeys } from './health-view.ts';

/** Health as HTTP sees it. */
export class NodeWatchApi implements WatchApi {
  readonly #current: CurrentMember;

  constructor(current: CurrentMember) {
    this.#current = current;
  }

  *samples(): Iterable<KeySamples> {
    const member = this.#current.member();
    if (member === null) return;
    for (const { key } of member.replica.state.machine.keys({}))
      yield samplesIn(member, fromUtf8(key));
  }

  samplesOf(key: string): KeySamples | undefined {
    const found = this.#find(key);
    return found && samplesIn(found.member, key);
  }

  *consensus(): Iterable<KeyConsensus> {
    const member = this.#current.member();
    if (member === null) return;
    for (const record of member.replica.state.machine.keys({})) yield consensusOn(member, record);
  }

  consensusOf(key: string): KeyConsensus | undefined {
    const found = this.#find(key);
    return found && consensusOn(found.member, found.record);
  }

  async health(query: KeyQuery): Promise<Iterable<KeyHealthView>> {
    const member = this.#current.member();
    return member === null ? [] : healthOfKeys(member, query);
  }

  async healthOf(key: string): Promise<KeyHealthView | undefined> {
    const found = this.#find(key);
    return found && healthOfKey(found.member, found.record);
  }

  *events({ key, limit }: EventQuery): Iterable<EventJson> {
    const machine = this.#current.member()?.replica.state.machine;
    const events = machine?.events({ limit, ...(key !== '' && { key }) }) ?? [];
    for (const event of events) yield { ...eventToJson(event, { withNotification: true }) };
  }

  event(id: Revision): EventJson | undefined {
    const event = this.#current.member()?.replica.state.machine.event(id);
    return event && { ...eventToJson(event, { withNotification: true }) };
  }

  #find(key: string): { member: ClusterMember; record: KeyRecord } | undefined {
    const member = this.#current.member();
    const record = member?.replica.state.machine.key(utf8(key));
    return member !== null && record !== undefined ? { member, record } : undefined;
  }
}

function samplesIn(member: ClusterMember, key: string): KeySamples {
  const items = member.watching.watcher?.samplesOf(key)?.window.items ?? [];
  return { key, samples: items.map(({ status, atMs }) => ({ status, atMs })) };
}

function consensusOn(member: ClusterMember, record: KeyRecord): KeyConsensus {
  const key = fromUtf8(record.key);
  const health = member.replica.state.machine.health(key);
  return {
    key,
    prevEventAtMs: lastEventAtMs(member, health),
    prevConsensus: health?.baseline ?? '',
    empty: health?.empty ?? false,
    emptyAtMs: health?.emptyAtMs ?? 0,
    votes: votesOn(member, record),
  };
}

/** When the baseline last moved: by an event, or silently at first. */
function lastEventAtMs(member: ClusterMember, health: KeyHealth | undefined): number {
  if (health === undefined) return 0;
  const last = health.lastAvailabilityEvent;
  const event = last === null ? undefined : member.replica.state.machine.event(last);
  return event?.atMs ?? health.baselineAtMs;
}

/** One line per member of the configuration, whether it said something or not. */
function votesOn(member: ClusterMember, record: KeyRecord): HeardVerdict[] {
  const { heard } = member.watching;
  const { createRevision: keyId, valueRevision } = record;
  return member.replica.configuration.members.map(({ nodeId, gossipAddress }) => ({
    gossipAddress,
    verdict: heard.verdictOf(nodeId, { keyId, valueRevision }),
    heardAtMs: heard.heardAtMs(nodeId),
  }));
}
