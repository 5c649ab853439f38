import type { LogBase } from '../../raft/index.ts';
import { asClusterId, asIndex, asTerm } from '../../shared/index.ts';
import type { SnapshotIdentity } from '../../storage/index.ts';
import {
  decodeConfiguration,
  decodeFields,
  encodeConfiguration,
  encodeFields,
} from '../../wire/index.ts';

/** Header of a snapshot offer between nodes. */
export function encodeSnapshotIdentity({
  clusterId,
  base,
  hash,
  chunkCount,
}: SnapshotIdentity): Uint8Array {
  const { index, term, configuration } = base;
  return encodeFields({
    texts: [clusterId, hash],
    numbers: [index, term, configuration.index, chunkCount],
    body: encodeConfiguration(configuration.configuration),
  });
}

/** Throws PARAM_INVALID. */
export function decodeSnapshotIdentity(bytes: Uint8Array): SnapshotIdentity {
  const { texts, numbers, body } = decodeFields(bytes);
  const base: LogBase = {
    index: asIndex(numbers[0] ?? 0),
    term: asTerm(numbers[1] ?? 0),
    configuration: { index: asIndex(numbers[2] ?? 0), configuration: decodeConfiguration(body) },
  };
  const clusterId = asClusterId(texts[0] ?? '');
  return { clusterId, base, hash: texts[1] ?? '', chunkCount: numbers[3] ?? 0 };
}
