import { expect } from 'chai';

import { answerForwarded } from '../../../../src/node/replica/forwarding.ts';
import { codeOf, utf8 } from '../../../../src/shared/index.ts';
import type { ProposalOutcome } from '../../../../src/node/replica/proposer.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeEnvelope,
  supportedClusterVersion,
} from '../../../../src/store/index.ts';
import { decodeProposeResponse, encodeProposeRequest } from '../../../../src/wire/index.ts';

const envelopeOf = (minVersion: number, keyBytes = 1): Uint8Array =>
  encodeEnvelope({
    ...{ minVersion, keyspace: '', principal: '', session: '', sequence: 0, compare: [] },
    then: [{ kind: 'delete', key: utf8('k'.repeat(keyBytes)) }],
    else: [],
  });

/** The code by which one envelope is rejected; null when it is proposed. */
async function refusalOf(envelope: Uint8Array): Promise<string | null> {
  const proposer = {
    propose: (_: Uint8Array, resolve: (outcome: ProposalOutcome) => void): void =>
      resolve({ kind: 'lost' }),
  };
  const answer = await answerForwarded(proposer, encodeProposeRequest([envelope]));
  const [outcome] = decodeProposeResponse(answer);
  return outcome?.kind === 'rejected' ? outcome.code : null;
}

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

  it('finds a later version wherever it stands: the log takes the last one that is named', async () => {
    const later = supportedClusterVersion + 1;
    const field = (version: number): Uint8Array => new Uint8Array([1 << 3, version]);
    const rest = envelopeOf(0);
    for (const parts of [
      [rest, field(later)],
      [field(1), rest, field(later)],
      [field(later), rest, field(1)],
    ]) {
      const envelope = new Uint8Array(Buffer.concat(parts));
      const { minVersion } = decodeBatch(encodeBatch({ timeMs: 0, envelopes: [envelope] }));
      expect(minVersion).to.be.oneOf([1, later]);
      expect(await refusalOf(envelope)).to.equal('PARAM_INVALID');
    }
  });

  it('proposes nothing that does not fit in a record of the log: it would stop the leader', async () => {
    expect(await refusalOf(envelopeOf(0, 3 * 1024 * 1024))).to.equal('TOO_LARGE');
    expect(await refusalOf(envelopeOf(0, 2 * 1024 * 1024))).to.equal(null);
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
