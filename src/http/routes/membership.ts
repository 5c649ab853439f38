import { isHostPort, storableText, switchOf, timeoutMsOf } from '../arguments.ts';
import { pathArgument } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { Params } from '../params.ts';
import { paramError, RefusedRequest } from '../refusal.ts';
import { replyOk } from '../reply.ts';
import type { Route, RouteParts } from '../route.ts';

const gossipAddressesMax = 64;
const transferName = '/members/{id}/transfer';

/** Who is in the cluster, and who leads it: `/join`, `/leave`, transfers, `/gossipjoin`, `/gossipleave`. */
export function membershipRoutes(parts: RouteParts): readonly Route[] {
  const { cluster } = parts.api;
  return [
    { name: '/join', changes: true, handle: (exchange) => join(parts, exchange) },
    { name: '/leave', changes: true, handle: (exchange) => leave(parts, exchange) },
    { name: transferName, changes: true, handle: (exchange) => transfer(parts, exchange) },
    { name: '/gossipjoin/{a,b}', changes: true, handle: (exchange) => gossipJoin(parts, exchange) },
    {
      name: '/gossipjoin',
      changes: true,
      handle: () => {
        throw paramError('the path must name gossip addresses: /gossipjoin/host:port,host:port');
      },
    },
    {
      name: '/gossipleave',
      changes: true,
      handle: async ({ response }) => {
        await cluster.gossipLeave();
        replyOk(response);
      },
    },
  ];
}

async function join(parts: RouteParts, exchange: Exchange): Promise<void> {
  const params = await parts.params.read(exchange);
  const peerAddress = peerAddressOf(params);
  const timeoutMs = timeoutMsOf(params, parts.limits);
  await parts.api.cluster.join(peerAddress, { timeoutMs });
  replyOk(exchange.response);
}

async function leave(parts: RouteParts, exchange: Exchange): Promise<void> {
  const params = await parts.params.read(exchange);
  const peerAddress = peerAddressOf(params);
  const timeoutMs = timeoutMsOf(params, parts.limits);
  const force = switchOf(params, 'force');
  await parts.api.cluster.leave(peerAddress, { timeoutMs, force });
  replyOk(exchange.response);
}

async function transfer(parts: RouteParts, exchange: Exchange): Promise<void> {
  const behind = pathArgument(exchange, '/members/'.length);
  const nodeId = storableText('id', behind.slice(0, -'/transfer'.length));
  const timeoutMs = timeoutMsOf(await parts.params.read(exchange), parts.limits);
  await parts.api.cluster.transfer(nodeId, { timeoutMs });
  replyOk(exchange.response);
}

async function gossipJoin(parts: RouteParts, exchange: Exchange): Promise<void> {
  const addresses = pathArgument(exchange, '/gossipjoin/'.length).split(',');
  const wrong = addresses.find((address) => !isHostPort(address));
  if (wrong !== undefined) throw paramError(`gossip address must be host:port: found ${wrong}`);
  if (addresses.length > gossipAddressesMax) {
    throw paramError(`more than ${gossipAddressesMax} gossip addresses`);
  }
  const timeoutMs = timeoutMsOf(await parts.params.read(exchange), parts.limits);
  await parts.api.cluster.gossipJoin(addresses, { timeoutMs });
  replyOk(exchange.response);
}

function peerAddressOf(params: Params): string {
  const address = params.get('peerAddress');
  if (address !== undefined && isHostPort(address)) return address;
  throw new RefusedRequest({
    status: 400,
    text: 'invalid peerAddress',
    reason: 'PARAM_INVALID: peerAddress must be host:port',
  });
}
