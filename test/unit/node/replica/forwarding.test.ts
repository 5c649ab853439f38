import { expect } from 'chai';

import { answerForwarded } from '../../../../src/node/replica/forwarding.ts';
import { codeOf, utf8 } from '../../../../src/shared/index.ts';
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

  it('refuses a call of more commands than may wait, before it proposes one', async () => {
    let count = 0;
    const propose = (): void => {
      count++;
    };
    const body = encodeProposeRequest(Array.from({ length: 16_385 }, () => new Uint8Array(0)));
    const found = await answerForwarded({ propose }, body).catch((error: unknown) => codeOf(error));
    expect(found).to.equal('TOO_LARGE');
    expect(count).to.equal(0);
  });
});
