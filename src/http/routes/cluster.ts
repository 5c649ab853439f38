import { RefusedRequest } from '../refusal.ts';
import { headerText, replyJson, replyOk, replyText } from '../reply.ts';
import type { Route, RouteParts } from '../route.ts';
import type { ClusterApi } from '../ports.ts';

/** Who is in the cluster: `/leader`, `/raftnodes`, `/gossipnodes`, `/membersconsensus`, `/members`. */
export function clusterRoutes({ api: { cluster } }: RouteParts): readonly Route[] {
  return [
    {
      name: '/leader',
      changes: false,
      handle: ({ response }) => {
        const leader = cluster.leader();
        if (!leader) throw noLeader();
        replyText(response, 200, leader.raft, ['X-Quorate-Leader-Http', headerText(leader.http)]);
      },
    },
    {
      name: '/raftnodes',
      changes: false,
      handle: ({ response }) => replyJson(response, sorted(cluster.raftAddresses())),
    },
    {
      name: '/gossipnodes',
      changes: false,
      handle: ({ response }) => replyJson(response, sorted(cluster.gossipAddresses())),
    },
    {
      name: '/membersconsensus',
      changes: false,
      handle: ({ response }) => {
        checkConsensus(cluster);
        replyOk(response);
      },
    },
    {
      name: '/members',
      changes: false,
      handle: async ({ response }) => replyJson(response, await cluster.members()),
    },
  ];
}

const sorted = (texts: readonly string[]): string[] => [...texts].sort();

function noLeader(): RefusedRequest {
  return new RefusedRequest({
    status: 503,
    text: 'error no leader',
    reason: 'NO_LEADER: this node knows no leader',
    retryAfterSeconds: 1,
  });
}

function checkConsensus(cluster: ClusterApi): void {
  const { same, raft, gossip } = cluster.membersConsensus();
  if (same) return;
  const list = (ids: readonly string[]): string => `[${sorted(ids).join(' ')}]`;
  const text = `error raft members ${list(raft)} , gossip members ${list(gossip)} differ`;
  throw new RefusedRequest({ status: 503, text, reason: `CONFLICT: ${text}` });
}
