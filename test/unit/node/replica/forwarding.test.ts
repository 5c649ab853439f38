import { expect } from 'chai';

import { answerForwarded } from '../../../../src/node/replica/forwarding.ts';
import { utf8 } from '../../../../src/shared/index.ts';
import { encodeEnvelope, supportedClusterVersion } from '../../../../src/store/index.ts';
import { decodeProposeResponse, encodeProposeRequest } from '../../../../src/wire/index.ts';

const envelopeOf = (minVersion: number): Uint8Array =>
  encodeEnvelope({
    ...{ minVersion, keyspace: '', principal: '', session: '', sequence: 0, compare: [] },
    then: [{ kind: 'delete', key: utf8('k') }],
    else: [],
  });

describe('answerForwarded()', () => {
  it('proposes nothing of a later cluster version: in the log it would stop every node', async () => {
    const proposed: Uint8Array[] = [];
    const body = encodeProposeRequest([
      envelopeOf(supportedClusterVersion + 1),
      envelopeOf(supportedClusterVersion),
    ]);
    const answer = await answerForwarded(
      {
        propose: (envelope, resolve) => {
          proposed.push(envelope);
          resolve({ kind: 'lost' });
        },
      },
      body,
    );
    const [later, known] = decodeProposeResponse(answer);
    expect(later).to.include({ kind: 'rejected', code: 'PARAM_INVALID' });
    expect(known).to.include({ kind: 'refused', reason: 'lost' });
    expect(proposed).to.deep.equal([envelopeOf(supportedClusterVersion)]);
  });
});
