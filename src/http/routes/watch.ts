import { jsonObject } from '../json-stream.ts';
import type { KeyConsensus, KeySamples } from '../ports.ts';
import { keyNotFound } from '../refusal.ts';
import type { Route, RouteParts } from '../route.ts';
import { keyInPath } from './status.ts';

/** `/detectordata[/{key}]`: this node's own samples. */
export function detectorDataRoutes({ api, streams }: RouteParts): readonly Route[] {
  return [
    {
      name: '/detectordata',
      changes: false,
      handle: ({ response }) =>
        streams.reply(response, jsonObject(mapped(api.watch.samples(), samplesMember))),
    },
    {
      name: '/detectordata/{key}',
      changes: false,
      handle: async (exchange) => {
        const key = keyInPath(exchange, '/detectordata');
        const found = api.watch.samplesOf(key);
        if (!found) throw keyNotFound(key);
        await streams.reply(exchange.response, jsonObject([samplesMember(found)]));
      },
    },
  ];
}

/** `/gossipstatus[/{key}]`: what this node has heard from the members about each key. */
export function gossipStatusRoutes({ api, streams }: RouteParts): readonly Route[] {
  return [
    {
      name: '/gossipstatus',
      changes: false,
      handle: ({ response }) =>
        streams.reply(response, jsonObject(mapped(api.watch.consensus(), consensusMember))),
    },
    {
      name: '/gossipstatus/{key}',
      changes: false,
      handle: async (exchange) => {
        const key = keyInPath(exchange, '/gossipstatus');
        const found = api.watch.consensusOf(key);
        if (!found) throw keyNotFound(key);
        await streams.reply(exchange.response, jsonObject([consensusMember(found)]));
      },
    },
  ];
}

function* mapped<From, To>(items: Iterable<From>, shape: (item: From) => To): Generator<To> {
  for (const item of items) yield shape(item);
}

function samplesMember({ key, samples }: KeySamples): readonly [string, string] {
  const list = samples.map(({ status, atMs }) => ({
    Status: status,
    Time: new Date(atMs).toISOString(),
  }));
  return [key, JSON.stringify(list)];
}

function consensusMember(consensus: KeyConsensus): readonly [string, string] {
  const votes = consensus.votes.map(({ gossipAddress, verdict, heardAtMs }) => [
    gossipAddress,
    { GossipStatus: verdict, TimeStamp: dateTime(heardAtMs) },
  ]);
  const shape = {
    PrevEventTime: dateTime(consensus.prevEventAtMs),
    PrevConsensus: consensus.prevConsensus,
    Empty: consensus.empty,
    EmptyTime: dateTime(consensus.emptyAtMs),
    Consensus: Object.fromEntries(votes) as unknown,
  };
  return [consensus.key, JSON.stringify(shape)];
}

/** `2006-01-02 15:04:05` in UTC; '' for 0, never. */
function dateTime(unixMs: number): string {
  return unixMs === 0 ? '' : new Date(unixMs).toISOString().slice(0, 19).replace('T', ' ');
}
