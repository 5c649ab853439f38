import { get } from 'node:http';
import { asClusterId, QuorateError } from '../../shared/index.ts';
import type { Answer } from './joining.ts';

const askTimeoutMs = 2_000;
/** How long the node there may wait for a leader. */
const joinWaitSeconds = 3;
const joinTimeoutMs = 15_000;
const answerBytesMax = 1024 * 1024;

/** Whether the node with this HTTP address has a cluster. Rejects when it does not answer. */
export async function askHttp(address: string): Promise<Answer> {
  const { status, text } = await request(`http://${address}/raftnodes`, askTimeoutMs);
  const members: unknown = status === 200 ? JSON.parse(text) : [];
  const hasCluster = Array.isArray(members) && members.length > 0;
  // Which cluster it is shows in the handshake; here it only matters that there is one.
  return { clusterId: hasCluster ? asClusterId('some') : null, httpAddress: address };
}

/** Asks the node there to make the one with this Raft address a member. */
export async function requestJoin(httpAddress: string, raftAddress: string): Promise<void> {
  const query = new URLSearchParams({ peerAddress: raftAddress, timeout: String(joinWaitSeconds) });
  const url = `http://${httpAddress}/join?${query.toString()}`;
  const { status, text } = await request(url, joinTimeoutMs);
  if (status === 200) return;
  throw new QuorateError('UNREACHABLE', `${httpAddress} answers ${status}: ${text.trim()}`);
}

interface Response {
  readonly status: number;
  readonly text: string;
}

/** Not `fetch`: that refuses ports such as 6000. */
function request(url: string, timeoutMs: number): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      const message = `Cannot reach ${new URL(url).host}: ${cause.message}`;
      reject(new QuorateError('UNREACHABLE', message, { cause }));
    };
    const signal = AbortSignal.timeout(timeoutMs);
    get(url, { signal, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > answerBytesMax) response.destroy(new Error('its answer is too long'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', fail);
    }).on('error', fail);
  });
}
