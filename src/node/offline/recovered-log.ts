import type { Entry, LogStore, Member } from '../../raft/index.ts';
import type { ClusterId, Term } from '../../shared/index.ts';
import { asIndex, asTerm, assert } from '../../shared/index.ts';
import type { LogPlace } from '../../storage/index.ts';
import { createLog, openLog } from '../../storage/index.ts';
import type { Envelope } from '../../store/index.ts';
import { defaultKeyspace, encodeBatch, encodeEnvelope } from '../../store/index.ts';
import { encodeConfiguration } from '../../wire/index.ts';

/** Copied at once. */
const stepBytes = 1024 * 1024;

export interface Successor {
  readonly clusterId: ClusterId;
  /** Above every term that any of the directories has seen. */
  readonly term: Term;
  /** Who is alone in the new configuration. */
  readonly member: Member;
  /** Tokens are of this epoch, or a higher one if that was there already. */
  readonly epoch: number;
  readonly wallMs: number;
}

interface Copy {
  /** Where the log is; opening it cuts off what a crash left incomplete. */
  readonly from: LogPlace;
  readonly to: LogPlace;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Writes the log again under the successor's cluster id, all entries of it, and behind them the
 * configuration with one voter and the new epoch. Whole and durable when it resolves.
 */
export async function copyLog(copy: Copy, successor: Successor): Promise<void> {
  const { files, directory } = copy.to;
  await files.remove(directory);
  const source = await openLog(copy.from);
  assert(source !== null, 'The log was inspected before');
  try {
    const { identity, base, generation } = source.recovered;
    const target = await createLog({
      ...copy.to,
      identity: { ...identity, clusterId: successor.clusterId },
      base,
      generation,
      hardState: { term: successor.term, vote: null },
    });
    try {
      await copyEntries(source, target, copy.onProgress);
      const entries = newEntries(source.recovered.lastIndex + 1, successor);
      await target.write({ sequence: 1, entries });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function copyEntries(
  source: LogStore,
  target: LogStore,
  onProgress: Copy['onProgress'],
): Promise<void> {
  const { base, lastIndex } = source.recovered;
  for (let next = base.index + 1; next <= lastIndex;) {
    const entries = await source.read(asIndex(next), lastIndex, stepBytes);
    assert(entries.length > 0, `Entry ${next} is in the log`);
    await target.write({ sequence: 1, entries });
    next += entries.length;
    onProgress(next - base.index - 1, lastIndex - base.index);
  }
}

function newEntries(first: number, { term, member, epoch, wallMs }: Successor): readonly Entry[] {
  const alone = { ...member, role: 'voter' as const };
  const configuration = { members: [alone], outgoingVoters: [], removed: [] };
  const raise: Envelope = {
    ...{ minVersion: 1, keyspace: defaultKeyspace, principal: '', session: '', sequence: 0 },
    ...{ compare: [], then: [{ kind: 'raiseEpoch', epoch }], else: [] },
  };
  const payload = encodeBatch({ timeMs: wallMs, envelopes: [encodeEnvelope(raise)] });
  return [
    {
      ...{ index: asIndex(first), term: asTerm(term), kind: 'configuration' },
      payload: encodeConfiguration(configuration),
    },
    { index: asIndex(first + 1), term: asTerm(term), kind: 'command', payload },
  ];
}
