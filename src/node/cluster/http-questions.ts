import { get } from 'node:http';
import { asClusterId, QuorateError } from '../../shared/index.ts';
import type { Answer } from './joining.ts';
import type { ClusterWitness } from './rebuilding.ts';

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

/** Whether the cluster of the node with this HTTP address goes on, and who is `nodeId` in it. */
export async function askWitness(address: string, nodeId: string): Promise<ClusterWitness> {
  const members = await request(`http://${address}/members`, askTimeoutMs);
  const list: unknown = members.status === 200 ? JSON.parse(members.text) : [];
  // Any key will do: that there is none is an answer that only a majority can give.
  const query = `key=${encodeURIComponent(nodeId)}&timeout=1`;
  const read = await request(`http://${address}/get?${query}`, askTimeoutMs);
  const hasQuorum = read.status === 200 || read.status === 404;
  return { incarnation: incarnationIn(list, nodeId), hasQuorum };
}

function incarnationIn(members: unknown, nodeId: string): string | null {
  for (const member of Array.isArray(members) ? (members as unknown[]) : []) {
    if (typeof member !== 'object' || member === null) continue;
    if (!('id' in member) || !('incarnation' in member) || member.id !== nodeId) continue;
    return String(member.incarnation);
  }
  return null;
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
