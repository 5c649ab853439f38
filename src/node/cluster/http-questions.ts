import { asClusterId, QuorateError } from '../../shared/index.ts';
import type { Answer } from './joining.ts';

const askTimeoutMs = 2_000;
const joinTimeoutMs = 10_000;

/** Whether the node with this HTTP address has a cluster. Rejects when it does not answer. */
export async function askHttp(address: string): Promise<Answer> {
  const response = await request(`http://${address}/raftnodes`, askTimeoutMs);
  const members: unknown = await response.json();
  const hasCluster = response.ok && Array.isArray(members) && members.length > 0;
  // Which cluster it is shows in the handshake; here it only matters that there is one.
  return { clusterId: hasCluster ? asClusterId('some') : null, httpAddress: address };
}

/** Asks the node there to make the one with this Raft address a member. */
export async function requestJoin(httpAddress: string, raftAddress: string): Promise<void> {
  const query = new URLSearchParams({ peerAddress: raftAddress });
  const response = await request(`http://${httpAddress}/join?${query.toString()}`, joinTimeoutMs);
  const text = (await response.text()).trim();
  if (!response.ok)
    throw new QuorateError('UNREACHABLE', `${httpAddress} answers ${response.status}: ${text}`);
}

async function request(url: string, timeoutMs: number): Promise<Response> {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    const inner = cause instanceof Error ? cause.cause : undefined;
    const reason = inner instanceof Error ? inner : cause;
    const found = reason instanceof Error ? reason.message : String(reason);
    throw new QuorateError('UNREACHABLE', `Cannot reach ${new URL(url).host}: ${found}`, { cause });
  }
}
