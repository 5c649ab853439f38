import type { PeerView } from '../../raft/index.ts';
import { asIndex, asPeerId } from '../../shared/index.ts';
import {
  decodeFields,
  decodeProposeRequest,
  encodeFields,
  encodeProposeRequest,
} from '../../wire/index.ts';

/** What the leader knows of one member. */
export type MemberProgress = Pick<PeerView, 'peer' | 'matchIndex' | 'silentMs'>;

/** A list of small bodies: same shape as a list of envelopes. */
export const encodeProgress = (members: readonly MemberProgress[]): Uint8Array =>
  encodeProposeRequest(
    members.map(({ peer, matchIndex, silentMs }) =>
      encodeFields({ texts: [peer], numbers: [matchIndex, Math.floor(Math.min(silentMs, 1e9))] }),
    ),
  );

export const decodeProgress = (bytes: Uint8Array): readonly MemberProgress[] =>
  decodeProposeRequest(bytes).map((body) => {
    const { texts, numbers } = decodeFields(body);
    return {
      peer: asPeerId(texts[0] ?? ''),
      matchIndex: asIndex(numbers[0] ?? 0),
      silentMs: numbers[1] ?? 0,
    };
  });
