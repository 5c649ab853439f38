import { QuorateError } from '../../shared/index.ts';
import { highestVersionIn, supportedClusterVersion } from '../../store/index.ts';
import type { PeerTransport } from '../../transport/index.ts';
import {
  decodeProposeRequest,
  decodeProposeResponse,
  encodeProposeRequest,
  encodeProposeResponse,
} from '../../wire/index.ts';
import type { WireOutcome } from '../../wire/index.ts';
import type { CommandClientInit } from './command-client.ts';
import type { ProposalOutcome, Proposer } from './proposer.ts';

/** Commands on their way from one node to the leader: the call and its answer. */

const proposeMethod = 'propose';
/** Commands of one call: as many as may wait at the leader. Nobody forwards nearly so many at once. */
const envelopesMax = 16_384;
/** A client's request holds 2 MiB at most, a record of the log 4. */
const envelopeBytesMax = 3 * 1024 * 1024;

/** Asks a peer to propose; see CommandClientInit. */
export function forwardThrough(
  transport: Pick<PeerTransport, 'call'>,
): CommandClientInit['forward'] {
  return async (to, envelopes, timeoutMs) => {
    const body = encodeProposeRequest(envelopes);
    return decodeProposeResponse(await transport.call(to, proposeMethod, body, timeoutMs));
  };
}

/** Proposes what a peer forwards; resolves with the answer once all of it is settled. */
export function answerForwarded(
  proposer: Pick<Proposer, 'propose'>,
  body: Uint8Array,
): Promise<Uint8Array> {
  const envelopes = decodeProposeRequest(body);
  if (envelopes.length > envelopesMax) return Promise.reject(tooMany(envelopes.length));
  return new Promise((resolve) => {
    const outcomes = new Array<WireOutcome>(envelopes.length);
    let open = envelopes.length;
    if (open === 0) resolve(encodeProposeResponse(outcomes));
    const settle = (i: number, outcome: WireOutcome): void => {
      outcomes[i] = outcome;
      if (--open === 0) resolve(encodeProposeResponse(outcomes));
    };
    for (const [i, envelope] of envelopes.entries()) {
      const harm = harmOf(envelope);
      if (harm !== null) settle(i, { kind: 'rejected', ...harm });
      else proposer.propose(envelope, (outcome) => settle(i, wireOutcome(outcome)));
    }
  });
}

const tooMany = (count: number): QuorateError =>
  new QuorateError('TOO_LARGE', `Cannot propose ${count} commands at once: ${envelopesMax} may be`);

/** Why a command must not get into the log: there it would stop this node, or every one. */
function harmOf(envelope: Uint8Array): Pick<Rejected, 'code' | 'message'> | null {
  const version = highestVersionIn(envelope);
  if (version > supportedClusterVersion) {
    const known = `the leader knows version ${supportedClusterVersion}`;
    const message = `Cannot propose a command of cluster version ${version}: ${known}`;
    return { code: 'PARAM_INVALID', message };
  }
  const bytes = envelope.length;
  if (bytes <= envelopeBytesMax) return null;
  const message = `Cannot propose a command of ${bytes} bytes: ${envelopeBytesMax} may be`;
  return { code: 'TOO_LARGE', message };
}

type Rejected = Extract<WireOutcome, { readonly kind: 'rejected' }>;

/** The wire form of what the leader's proposer says. */
function wireOutcome(outcome: ProposalOutcome): WireOutcome {
  if (outcome.kind === 'lost') return { kind: 'refused', reason: 'lost', message: '' };
  if (outcome.kind !== 'applied') return outcome;
  const { result } = outcome;
  if (!result.ok) return { kind: 'rejected', code: result.code, message: result.message };
  const { revision, changed, branch } = result;
  return { kind: 'applied', revision, changed, branch };
}
