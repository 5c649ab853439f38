import type { KeyHealthView, KeyQuery } from '../../http/index.ts';
import { fromUtf8, utf8 } from '../../shared/index.ts';
import type { KeyRecord } from '../../store/index.ts';
import type { ClusterMember } from '../cluster-member.ts';
import type { Explanations } from '../watching/index.ts';

/** What is known and decided about these keys of this node; the leader is asked once for all. */
export async function healthOfKeys(
  member: ClusterMember,
  query: KeyQuery,
): Promise<Iterable<KeyHealthView>> {
  const { prefix, after, limit } = query;
  const records = member.replica.state.machine.keys({
    limit,
    ...(prefix !== '' && { prefix: utf8(prefix) }),
    ...(after !== '' && { after: utf8(after) }),
  });
  return viewsOf(member, [...records]);
}

export async function healthOfKey(
  member: ClusterMember,
  record: KeyRecord,
): Promise<KeyHealthView | undefined> {
  const [view] = await viewsOf(member, [record]);
  return view;
}

async function viewsOf(
  member: ClusterMember,
  records: readonly KeyRecord[],
): Promise<Iterable<KeyHealthView>> {
  const keys = records.map((record) => fromUtf8(record.key));
  const explanations = keys.length === 0 ? null : await member.calls.explain(keys);
  return views(member, records, explanations);
}

/** Made one by one, as the client takes them. */
function* views(
  member: ClusterMember,
  records: readonly KeyRecord[],
  explanations: Explanations | null,
): Generator<KeyHealthView> {
  for (const [at, record] of records.entries()) {
    const explanation = explanations?.list[at];
    const reason = explanation?.reason ?? '';
    yield {
      ...knownHere(member, record),
      decidedBy: explanations?.decidedBy ?? null,
      reason,
      waiting: explanation?.isWaiting === true ? reason : null,
      ...seenHere(member, record),
    };
  }
}

function knownHere(
  { replica }: ClusterMember,
  record: KeyRecord,
): Pick<KeyHealthView, 'key' | 'valueRevision' | 'state' | 'empty'> {
  const key = fromUtf8(record.key);
  const health = replica.state.machine.health(key);
  const { valueRevision } = record;
  return { key, valueRevision, state: health?.baseline ?? '', empty: health?.empty ?? false };
}

function seenHere(
  { watching }: ClusterMember,
  record: KeyRecord,
): Pick<KeyHealthView, 'votes' | 'lastSample'> {
  const newest = watching.watcher?.samplesOf(fromUtf8(record.key))?.window.items.at(-1);
  const lastSample = newest && {
    status: newest.status,
    atMs: newest.atMs,
    detail: newest.detail,
  };
  return { votes: watching.votesOn(record), lastSample: lastSample ?? null };
}
